// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/kernel/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/system.h"
#include "common/cache/cache.h"
#include "common/kernel/kernel_config.h"
#include "common/store/store.h"
#include "vm/kernel/adopted.h"
#include "vm/kernel/attestation.h"

static const char directory_prefix[] = "kernel-";

/** Where a package has its release. */
static const char release_file[] = "build/include/config/kernel.release";

void kernel_deinit(struct kernel *kernel)
{
	free(kernel->path);
	free(kernel->config);
	cache_release(kernel->entry);
	cache_release(kernel->build);
	*kernel = (struct kernel){ 0 };
}

bool kernel_is_path(const char *text)
{
	return *text == '.' || *text == '/' ||
	       strcmp(text, ADOPTED_INSTALLED) == 0;
}

bool kernel_is_package(const char *path)
{
	_cleanup_free_ char *file = path_join(path, release_file);

	return file_exists(file);
}

bool kernel_is_since(const struct kernel *kernel, unsigned int major,
		     unsigned int minor)
{
	const struct kernel_version since = { .major = major, .minor = minor };
	struct kernel_version version;
	const char *end;

	return kernel_version_parse_prefix(kernel->release, &version, &end) &&
	       kernel_version_compare_series(&version, &since) >= 0;
}

char *kernel_module(const struct kernel *kernel, const char *name)
{
	static const char *const suffixes[] = { "", ".xz", ".zst", ".gz" };

	for (size_t i = 0; i < array_size(suffixes); i++) {
		_cleanup_free_ char *module =
			string_format("%s%s", name, suffixes[i]);
		_cleanup_free_ char *path = path_join(kernel->path, module);

		if (file_exists(path))
			return take_ptr(module);
	}
	return NULL;
}

bool kernel_takes_release(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p <= ' ' || *p > '~' || strchr("/:#", *p))
			return false;
	}
	// One that begins with a dash would be an option.
	return *text && !strchr(".-", *text) && strlen(text) < RELEASE_TEXT_SIZE;
}

/** Read the release from where a build leaves it. */
static struct error *read_release(const char *path,
				  char release_ret[static RELEASE_TEXT_SIZE])
{
	struct error *err;

	_cleanup_free_ char *file = path_join(path, release_file);
	_cleanup_free_ char *text = NULL;
	err = file_read(file, RELEASE_TEXT_SIZE - 1, &text, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return error_create(ERROR_NOT_FOUND,
				    "%s has no %s; is it an unpacked package?",
				    path, release_file);
	if (err)
		return err;
	text[strcspn(text, "\n")] = '\0';
	if (!kernel_takes_release(text))
		return error_create(ERROR_OTHER,
				    "%s: it does not hold a kernel's release",
				    file);
	strcpy(release_ret, text);
	return NULL;
}

struct error *kernel_open(const char *path, struct kernel *ret)
{
	struct error *err;

	_cleanup_kernel_ struct kernel kernel = { 0 };
	kernel.path = realpath(path, NULL);
	if (!kernel.path && errno == ENOENT)
		return error_create(ERROR_NOT_FOUND,
				    "kernel %s: no such directory", path);
	if (!kernel.path)
		return error_create_os(errno, "kernel %s", path);
	if (!directory_exists(kernel.path))
		return error_create(ERROR_OTHER,
				    "kernel %s: not a directory with an unpacked package",
				    path);
	err = cache_hold(kernel.path, &kernel.entry);
	if (err)
		return error_wrap(err, "kernel");
	if (!kernel.entry)
		return error_create(ERROR_NOT_FOUND,
				    "kernel %s: another process is deleting it",
				    kernel.path);
	err = read_release(kernel.path, kernel.release);
	if (err)
		return error_wrap(err, "kernel");
	_cleanup_free_ char *config = path_join(kernel.path, "build/.config");
	err = file_read(config, 4 << 20, &kernel.config, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		kernel.config = string_copy("");
	if (err)
		return err;
	*ret = take(kernel);
	return NULL;
}

struct error *kernel_check_options(const char *config, const char *what,
				   const char *const *options, bool modules)
{
	for (; *config && *options; options++) {
		size_t size;
		const char *value = kernel_config_value(config, *options, &size);

		if (!value || (*value != 'y' && !(modules && *value == 'm')))
			return error_create(ERROR_OTHER,
					    "%s: the kernel lacks %s", what,
					    *options);
	}
	return NULL;
}

void kernel_list_deinit(struct kernel_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].path);
	free(list->items);
	*list = (struct kernel_list){ 0 };
}

/** The kernel's entry, which is made if there is none. */
static struct kernel_entry *list_entry(struct kernel_list *list,
				       const struct release *release,
				       const char *arch)
{
	for (size_t i = 0; i < list->count; i++) {
		if (release_compare(&list->items[i].release, release) == 0 &&
		    strcmp(list->items[i].arch, arch) == 0)
			return &list->items[i];
	}
	struct kernel_entry *entry = &vector_add(list);
	*entry = (struct kernel_entry){ .release = *release, .arch = arch };
	release_format(release, entry->text);
	return entry;
}

static int compare_entries(const void *a, const void *b)
{
	const struct kernel_entry *x = a, *y = b;
	int order = strcmp(x->arch, y->arch);

	return order ? order : release_compare(&y->release, &x->release);
}

static void list_sort(struct kernel_list *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items),
		      compare_entries);
}

struct error *kernel_list_add_disk(struct kernel_list *list,
				   const char *directory, const char *arch)
{
	_cleanup_free_ char *parent = path_join(directory, arch);
	_cleanup_closedir_ DIR *dir = opendir(parent);
	if (!dir)
		return errno == ENOENT
			       ? NULL
			       : error_create_os(errno, "read %s", parent);
	for (struct dirent *file; (file = readdir(dir));) {
		const char *text = file->d_name + strlen(directory_prefix);
		struct release release;

		if (strncmp(file->d_name, directory_prefix,
			    strlen(directory_prefix)) != 0 ||
		    !release_parse(text, &release))
			continue;
		struct kernel_entry *entry = list_entry(list, &release, arch);
		free(entry->path);
		entry->path = path_join(parent, file->d_name);
	}
	list_sort(list);
	return NULL;
}

void kernel_list_add_store(struct kernel_list *list,
			   const struct asset_list *assets, const char *arch)
{
	for (size_t i = 0; i < assets->count; i++) {
		struct release release;
		char name[ARCH_SIZE];

		if (package_name_parse(assets->items[i].name, &release, name) &&
		    strcmp(name, arch) == 0)
			list_entry(list, &release, arch)->asset =
				&assets->items[i];
	}
	list_sort(list);
}

bool kernel_is_wanted(const struct kernel_entry *entry, const char *pattern,
		      const struct string_list *flavors)
{
	if (flavors->count &&
	    !string_list_contains(flavors, entry->release.flavor))
		return false;
	return !pattern || release_matches(entry->text, pattern);
}

/** An asset that is fetched and unpacked. */
struct download {
	struct store *store;
	const struct asset *asset;
	const struct download_checks *checks;
	char release[RELEASE_TEXT_SIZE];
	uint64_t unpack_ms;
};

/** Save what a stream brings, have it verified, and open that instead. */
static struct error *verify(const struct download *download,
			    const char *directory, struct stream **stream)
{
	static const char prefix[] = "vmtest-download";
	struct error *err;

	_cleanup_free_ char *parent = path_parent(directory);
	_cleanup_directory_ char *scratch = NULL;
	_cleanup_close_ int lock_fd = -1;
	err = directory_remove_stale(parent, prefix);
	if (err)
		return err;
	err = directory_create_temporary(parent, prefix, &scratch, &lock_fd);
	if (err)
		return err;
	_cleanup_free_ char *path = path_join(scratch, download->asset->name);
	_cleanup_free_ char *partial = path_join(scratch, "partial");
	_cleanup_close_ int fd =
		open(partial, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_create_os(errno, "open %s", partial);
	err = stream_save(*stream, fd, partial, path);
	if (err)
		return err;
	err = attestation_verify(path, store_repository(download->store));
	if (err)
		return err;
	stream_close(take_ptr(*stream));
	// It goes once it is read.
	return stream_open_file(path, stream);
}

static struct error *open_checked(const struct download *download,
				  const char *directory,
				  struct progress *progress, struct stream **ret)
{
	struct error *err;

	const struct download_checks *checks = download->checks;
	const bool is_remote = store_repository(download->store);
	bool verifies = checks->verifies && is_remote;
	if (is_remote && !*download->asset->digest && !checks->allows_unverified)
		return error_create(
			ERROR_OTHER,
			"%s has no digest of %s, as GitHub has none of what was uploaded before mid-2025: nothing would tell whether it was damaged or exchanged; --allow-unverified takes it nevertheless",
			store_name(download->store), download->asset->name);
	err = verifies ? attestation_find_program() : NULL;
	if (checks->program_is_optional && error_is(err, ERROR_NOT_FOUND)) {
		log_warning("%s is not verified: %s", download->asset->name,
			    error_message(err));
		verifies = false;
	} else if (err) {
		return error_wrap(err, "--verify");
	}
	error_destroy(err);
	_cleanup_stream_ struct stream *stream = NULL;
	err = store_open(download->store, download->asset, &stream);
	if (err)
		return err;
	stream->progress = progress;
	if (verifies)
		err = verify(download, directory, &stream);
	if (err)
		return error_wrap(err, "get %s from %s", download->asset->name,
				  store_name(download->store));
	*ret = take_ptr(stream);
	return NULL;
}

static struct error *download_make(void *arg, const char *directory)
{
	struct error *err;
	struct download *download = arg;
	const char *name = download->asset->name;
	const char *store = store_name(download->store);
	const struct unpack_options options = { 0 };

	uint64_t start_ms = monotonic_ms();
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_BYTES, "download %s", name);
	_cleanup_stream_ struct stream *stream = NULL;
	err = open_checked(download, directory, progress, &stream);
	if (err)
		return err;
	err = unpack(stream, directory, &options);
	if (err)
		return error_wrap(err, "get %s from %s", name, store);
	download->unpack_ms = monotonic_ms() - start_ms - stream->read_ms;
	progress_finish(progress);
	// Nothing that is not a package gets the name of one.
	char release[RELEASE_TEXT_SIZE];
	err = read_release(directory, release);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return error_create(ERROR_OTHER,
				    "%s of %s is not a kernel package: it has no %s",
				    name, store, release_file);
	if (err)
		return err;
	if (strcmp(release, download->release) != 0)
		return error_create(ERROR_OTHER,
				    "%s of %s holds %s: it has a wrong name, or was exchanged",
				    name, store, release);
	if (chmod(directory, 0755) < 0)
		return error_create_os(errno, "chmod %s", directory);
	return NULL;
}

struct error *kernel_download(struct store *store, const struct asset *asset,
			      const char *directory,
			      const struct download_checks *checks,
			      struct kernel *ret, uint64_t *unpack_ms_ret)
{
	struct error *err;

	struct release release;
	char arch[ARCH_SIZE];
	if (!package_name_parse(asset->name, &release, arch))
		return error_create(ERROR_OTHER, "%s is not a package's name",
				    asset->name);
	struct download download = {
		.store = store,
		.asset = asset,
		.checks = checks,
	};
	release_format(&release, download.release);
	_cleanup_free_ char *path = path_joinf(directory, "%s/%s%s", arch,
					       directory_prefix,
					       download.release);
	const struct cache_recipe recipe = {
		.make = download_make,
		.arg = &download,
	};
	_cleanup_cache_entry_ struct cache_entry *entry = NULL;
	err = cache_get(path, &recipe, &entry);
	if (err)
		return error_wrap(err, "download %s to %s", download.release,
				  path);
	if (unpack_ms_ret)
		*unpack_ms_ret = download.unpack_ms;
	return kernel_open(path, ret);
}

struct error *kernel_prune(const char *directory, const char *arch,
			   const struct release_selection *selection,
			   unsigned int keep, bool dry_run,
			   struct string_list *deleted_ret)
{
	struct error *err;

	_cleanup_kernel_list_ struct kernel_list list = { 0 };
	err = kernel_list_add_disk(&list, directory, arch);
	if (err)
		return err;
	for (size_t i = 0; i < list.count; i++) {
		const struct kernel_entry *entry = &list.items[i];
		unsigned int newer = 0;
		bool gone;

		for (size_t j = 0; j < i; j++)
			newer += release_same_kind(&list.items[j].release,
						   &entry->release);
		if (newer < keep ||
		    !release_is_selected(&entry->release, arch, selection))
			continue;
		err = cache_evict(entry->path, dry_run, &gone);
		if (err)
			return err;
		if (gone)
			string_list_add(deleted_ret, entry->path);
		else
			log_info("%s is in use", entry->path);
	}
	return NULL;
}
