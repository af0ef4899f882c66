// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/kernel/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/archive/unpack.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/cli/progress.h"
#include "common/store/store.h"

static const char folder_prefix[] = "kernel-";

void kernel_deinit(struct kernel *kernel)
{
	free(kernel->path);
	free(kernel->config);
	cleanup_close(&kernel->lock_fd);
	*kernel = (struct kernel)KERNEL_INIT;
}

bool kernel_is_path(const char *text)
{
	return *text == '.' || *text == '/';
}

/** Read the release from where a build leaves it. */
static struct error *read_release(const char *path,
				  char release_ret[static RELEASE_TEXT_SIZE])
{
	struct error *err;

	_cleanup_free_ char *file = NULL;
	_cleanup_free_ char *text = NULL;

	file = path_join(path, "build/include/config/kernel.release");
	err = file_read(file, RELEASE_TEXT_SIZE - 1, &text, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return error_create(ERROR_NOT_FOUND,
				    "%s has no build/include/config/kernel.release; is it an unpacked package?",
				    path);
	if (err)
		return err;
	text[strcspn(text, "\n")] = '\0';
	// It becomes part of paths and messages.
	for (const char *p = text; *p; p++) {
		if (*p <= ' ' || *p > '~' || *p == '/')
			*text = '\0';
	}
	if (!*text || *text == '.')
		return error_create(ERROR_OTHER,
				    "%s: it does not hold a kernel's release",
				    file);
	strcpy(release_ret, text);
	return NULL;
}

struct error *kernel_open(const char *path, struct kernel *ret)
{
	struct error *err;

	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_free_ char *config = NULL;

	kernel.path = realpath(path, NULL);
	if (!kernel.path && errno == ENOENT)
		return error_create(ERROR_NOT_FOUND,
				    "kernel %s: no such folder", path);
	if (!kernel.path)
		return error_create_os(errno, "kernel %s", path);
	if (!directory_exists(kernel.path))
		return error_create(ERROR_OTHER,
				    "kernel %s: not a folder with an unpacked package",
				    path);
	err = read_release(kernel.path, kernel.release);
	if (err)
		return error_wrap(err, "kernel");
	config = path_join(kernel.path, "build/.config");
	err = file_read(config, 4 << 20, &kernel.config, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND)) {
		kernel.config = string_copy("");
	}
	if (err)
		return err;
	kernel.lock_fd = open(kernel.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (kernel.lock_fd < 0)
		return error_create_os(errno, "kernel %s", kernel.path);
	// Not all file systems have locks; a kernel on one is not pruned anyway.
	flock(kernel.lock_fd, LOCK_SH | LOCK_NB);
	*ret = kernel;
	kernel = (struct kernel)KERNEL_INIT;
	return NULL;
}

void kernel_list_deinit(struct kernel_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].path);
	free(list->items);
	*list = (struct kernel_list){ 0 };
}

static int compare_entries(const void *a, const void *b)
{
	const struct kernel_entry *x = a;
	const struct kernel_entry *y = b;

	return release_compare(&y->release, &x->release);
}

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

struct error *kernel_list_load(const char *directory, const char *arch,
			       struct kernel_list *ret)
{
	_cleanup_kernel_list_ struct kernel_list list = { 0 };
	_cleanup_free_ char *folder = NULL;

	folder = path_join(directory, arch);

	_cleanup_(cleanup_closedir) DIR *dir = opendir(folder);

	if (!dir && errno == ENOENT) {
		*ret = (struct kernel_list){ 0 };
		return NULL;
	}
	if (!dir)
		return error_create_os(errno, "read %s", folder);

	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *text = entry->d_name + strlen(folder_prefix);
		struct release release;

		if (strncmp(entry->d_name, folder_prefix,
			    strlen(folder_prefix)) != 0 ||
		    strlen(text) >= RELEASE_TEXT_SIZE ||
		    !release_parse(text, &release))
			continue;

		struct kernel_entry *items =
			memory_resize(list.items, list.count + 1, sizeof(*items));
		list.items = items;
		items[list.count] = (struct kernel_entry){ .release = release };
		strcpy(items[list.count].text, text);
		items[list.count].path = path_join(folder, entry->d_name);
		list.count++;
	}
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items),
		      compare_entries);
	*ret = list;
	list = (struct kernel_list){ 0 };
	return NULL;
}

bool kernel_is_wanted(const struct release *release, const char *text,
		      const char *pattern, const struct string_list *flavors)
{
	if (flavors->count && !string_list_contains(flavors, release->flavor))
		return false;
	return !pattern || release_matches(text, pattern);
}

const struct asset *kernel_find_asset(const struct asset_list *assets,
				      const char *arch, const char *pattern,
				      const struct string_list *flavors)
{
	const struct asset *best = NULL;
	struct release best_release;

	for (size_t i = 0; i < assets->count; i++) {
		struct release release;
		char asset_arch[ARCH_SIZE];
		char text[RELEASE_TEXT_SIZE];

		if (!package_name_parse(assets->items[i].name, &release,
					asset_arch) ||
		    strcmp(asset_arch, arch) != 0)
			continue;
		release_format(&release, text);
		if (!kernel_is_wanted(&release, text, pattern, flavors))
			continue;
		if (best && release_compare(&release, &best_release) <= 0)
			continue;
		best = &assets->items[i];
		best_release = release;
	}
	return best;
}

struct download {
	struct unpack *unpack;
	struct progress *progress;
	uint64_t done;
	uint64_t total;
	uint64_t unpack_ms;
};

static struct error *download_sink(void *arg, const void *data, size_t size_bytes)
{
	struct error *err;
	struct download *download = arg;
	uint64_t start_ms = monotonic_ms();

	download->done += size_bytes;
	progress_update(download->progress, download->done, download->total);
	err = unpack_write(download->unpack, data, size_bytes);
	download->unpack_ms += monotonic_ms() - start_ms;
	return err;
}

static struct error *download_unpack(struct store *store,
				     const struct asset *asset,
				     const char *directory,
				     uint64_t *unpack_ms_ret)
{
	struct error *err;

	const struct unpack_options options = { 0 };
	_cleanup_unpack_ struct unpack *unpack = NULL;
	_cleanup_free_ char *what = NULL;

	err = unpack_create(directory, &options, &unpack);
	if (err)
		return err;
	what = string_format("download %s", asset->name);

	_cleanup_progress_ struct progress *progress =
		progress_create(what, PROGRESS_BYTES);
	struct download download = {
		.unpack = unpack,
		.progress = progress,
		.total = asset->size_bytes,
	};

	err = store_get(store, asset, download_sink, &download);
	if (err)
		return err;

	uint64_t finish_ms = monotonic_ms();

	err = unpack_finish(unpack);
	if (err)
		return error_wrap(err, "get %s from %s", asset->name,
				  store_name(store));
	*unpack_ms_ret = download.unpack_ms + monotonic_ms() - finish_ms;
	progress_finish(progress);
	return NULL;
}

static struct error *download_locked(struct store *store,
				     const struct asset *asset,
				     const char *folder, const char *release,
				     const char *path, uint64_t *unpack_ms_ret)
{
	struct error *err;

	_cleanup_directory_ char *temporary = NULL;
	_cleanup_close_ int lock_fd = -1;

	err = directory_create_temporary(folder, "download", &temporary,
					 &lock_fd);
	if (err)
		return err;
	err = download_unpack(store, asset, temporary, unpack_ms_ret);
	if (err)
		return err;

	// Nothing that is not a package gets the name of one.
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;

	err = kernel_open(temporary, &kernel);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return error_create(ERROR_OTHER,
				    "%s of %s is no package of a kernel: it has no build/include/config/kernel.release",
				    asset->name, store_name(store));
	if (err)
		return err;
	if (strcmp(kernel.release, release) != 0)
		return error_create(
			ERROR_OTHER,
			"%s of %s holds %s: it has a wrong name, or was exchanged",
			asset->name, store_name(store), kernel.release);
	if (chmod(temporary, 0755) < 0 || rename(temporary, path) < 0)
		return error_create_os(errno, "rename %s to %s", temporary, path);
	free(take_ptr(temporary));
	return NULL;
}

struct error *kernel_download(struct store *store, const struct asset *asset,
			      const char *directory, char **path_ret,
			      struct kernel_download_times *times_ret)
{
	struct error *err;

	uint64_t start_ms = monotonic_ms();
	uint64_t unpack_ms = 0;

	struct release release;
	char arch[ARCH_SIZE];
	char text[RELEASE_TEXT_SIZE];
	_cleanup_free_ char *folder = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *lock = NULL;

	if (!package_name_parse(asset->name, &release, arch))
		return error_create(ERROR_OTHER, "%s is not a package's name",
				    asset->name);
	release_format(&release, text);
	folder = path_join(directory, arch);
	path = path_joinf(folder, "%s%s", folder_prefix, text);
	lock = path_joinf(folder, ".%s%s.lock", folder_prefix, text);
	if (!directory_exists(path)) {
		_cleanup_close_ int lock_fd = -1;

		err = directory_create(folder);
		if (!err)
			err = file_lock(lock, &lock_fd);
		if (err)
			return error_wrap(err, "download %s", text);
		if (!directory_exists(path)) {
			err = directory_remove_stale(folder, "download");
			if (!err)
				err = download_locked(store, asset, folder,
						      text, path, &unpack_ms);
		}
		// Whoever waits for it finds the kernel under its name.
		unlink(lock);
		if (err)
			return error_wrap(err, "download %s to %s", text, folder);
	}
	if (times_ret)
		*times_ret = (struct kernel_download_times){
			.download_ms = monotonic_ms() - start_ms - unpack_ms,
			.unpack_ms = unpack_ms,
		};
	*path_ret = take_ptr(path);
	return NULL;
}

/** @param[out] deleted_ret Whether nobody uses it, so that it has gone. */
static struct error *prune_one(const char *path, bool dry_run, bool *deleted_ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_create_os(errno, "prune %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		log_info("%s is in use", path);
		*deleted_ret = false;
		return NULL;
	}
	*deleted_ret = true;
	return dry_run ? NULL : directory_remove(path);
}

struct error *kernel_prune(const char *directory, const char *arch,
			   const struct release_selection *selection,
			   unsigned int keep, bool dry_run,
			   struct string_list *deleted_ret)
{
	struct error *err;

	_cleanup_kernel_list_ struct kernel_list list = { 0 };
	_cleanup_free_ char *folder = NULL;

	folder = path_join(directory, arch);
	if (!dry_run && directory_exists(folder)) {
		err = directory_remove_stale(folder, "download");
		if (err)
			return err;
	}
	err = kernel_list_load(directory, arch, &list);
	if (err)
		return err;
	for (size_t i = 0; i < list.count; i++) {
		unsigned int newer = 0;
		bool deleted;

		for (size_t j = 0; j < i; j++)
			newer += release_same_kind(&list.items[j].release,
						   &list.items[i].release);
		if (newer < keep || !release_is_selected(&list.items[i].release,
							 arch, selection))
			continue;
		err = prune_one(list.items[i].path, dry_run, &deleted);
		if (err)
			return err;
		if (deleted)
			string_list_add(deleted_ret, list.items[i].path);
	}
	return NULL;
}
