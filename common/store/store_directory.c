// SPDX-License-Identifier: LGPL-2.1-or-later

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/store/store_internal.h"

/**
 * A store in a directory. Beside each NAME lies its sidecar, and NAME.label
 * where it has one; both are there before the package is. A package grows as
 * `.partial`, whose lock each writer holds: what a run that died has left is
 * the next one's.
 */
struct store_directory {
	struct store store;
	char *path;
};

enum {
	LABEL_BYTES_MAX = 4096,
};

static struct store_directory *store_directory(struct store *store)
{
	return (struct store_directory *)store;
}

static void store_directory_destroy(struct store *store)
{
	free(store_directory(store)->path);
	free(store);
}

static struct error *store_directory_create(const char *location,
					    struct http *http, struct store **ret)
{
	struct store_directory *directory;

	(void)http;
	if (!*location)
		return error_create(ERROR_USAGE,
				    "a directory is missing: dir:PATH");
	directory = memory_allocate(1, sizeof(*directory));
	directory->store.operations = &store_directory_operations;
	directory->path = string_copy(location);
	*ret = &directory->store;
	return NULL;
}

static struct error *store_directory_list(struct store *store,
					  struct asset_list *ret)
{
	struct error *err;

	const char *directory = store_directory(store)->path;
	_cleanup_closedir_ DIR *dir = opendir(directory);
	if (!dir && errno == ENOENT)
		return NULL;
	if (!dir)
		return error_create_os(errno, "open %s", directory);
	struct dirent *entry;
	while ((errno = 0, entry = readdir(dir))) {
		struct stat st;

		if (!asset_name_is_valid(entry->d_name))
			continue;
		_cleanup_asset_ struct asset asset = {
			.name = string_copy(entry->d_name),
			.url = path_join(directory, entry->d_name),
		};
		int errnum = lstat(asset.url, &st) < 0 ? errno : 0;

		if (errnum && errnum != ENOENT)
			return error_create_os(errnum, "stat %s", asset.url);
		// Deleted since, or not ours.
		if (errnum || !S_ISREG(st.st_mode))
			continue;
		asset.size_bytes = (uint64_t)st.st_size;
		asset.created = st.st_mtime;
		err = sidecar_read(asset.url, asset.digest);
		if (err)
			return err;
		_cleanup_free_ char *label = string_format("%s.label", asset.url);
		err = file_read(label, LABEL_BYTES_MAX, &asset.label, NULL);
		if (err && !error_catch(&err, ERROR_NOT_FOUND))
			return err;
		vector_add(ret) = take(asset);
	}
	if (errno)
		return error_create_os(errno, "read %s", directory);
	return NULL;
}

static struct error *store_directory_open(struct store *store,
					  const struct asset *asset,
					  struct stream **ret)
{
	_cleanup_free_ char *path =
		path_join(store_directory(store)->path, asset->name);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return error_create(ERROR_NOT_FOUND, "no such file: %s", path);
	if (fd < 0)
		return error_create_os(errno, "open %s", path);
	*ret = stream_open_fd(fd, path);
	stream_expect(*ret, asset->size_bytes, asset->digest,
		      "delete it and publish it again");
	return NULL;
}

/** @param[in] partial What the caller has locked; @p fd is its. */
static struct error *put_new(struct stream *source, const char *label, int fd,
			     const char *partial, const char *path)
{
	struct error *err;

	_cleanup_free_ char *label_path = string_format("%s.label", path);
	if (label)
		err = sidecar_write_text(label_path, label);
	else
		err = file_delete(label_path);
	if (err)
		return err;
	return stream_save(source, fd, partial, path);
}

/** The name is taken: by the same file, if all is well. */
static struct error *put_existing(const char *source, const char *path)
{
	struct error *err;

	char ours[DIGEST_TEXT_SIZE], theirs[DIGEST_TEXT_SIZE];
	err = digest_file(source, ours, NULL);
	if (err)
		return err;
	err = digest_file(path, theirs, NULL);
	if (err)
		return err;
	if (strcmp(ours, theirs) != 0)
		return error_create(ERROR_EXISTS,
				    "%s is there with another digest; rebuild under a new name",
				    path);
	return sidecar_write(path, ours);
}

static struct error *store_directory_put(struct store *store, const char *source,
					 const char *name, const char *label,
					 struct progress *progress,
					 char **url_ret)
{
	struct error *err;

	struct store_directory *directory = store_directory(store);
	_cleanup_free_ char *path = path_join(directory->path, name);
	_cleanup_free_ char *partial = path_join(directory->path, ".partial");
	_cleanup_stream_ struct stream *stream = NULL;
	err = stream_open_file(source, &stream);
	if (err)
		return err;
	stream->progress = progress;
	err = directory_create(directory->path);
	if (err)
		return err;
	_cleanup_close_ int fd = -1;
	err = file_lock(partial, &fd);
	if (err)
		return err;
	if (file_exists(path))
		err = put_existing(source, path);
	else
		err = put_new(stream, label, fd, partial, path);
	// Unless it has got its name.
	if (lock_is_of(fd, partial))
		unlink(partial);
	if (err)
		return err;
	*url_ret = take_ptr(path);
	return NULL;
}

static struct error *store_directory_check_writable(struct store *store)
{
	struct error *err;

	const char *path = store_directory(store)->path;
	err = directory_create(path);
	if (err)
		return err;
	return access(path, W_OK | X_OK) < 0 ? error_create_os(errno, "%s", path)
					     : NULL;
}

static struct error *store_directory_delete(struct store *store,
					    const struct asset *asset)
{
	// A sidecar without its package is invisible; not so the reverse.
	static const char *const suffixes[] = { "", ".sha256", ".label" };

	for (size_t i = 0; i < array_size(suffixes); i++) {
		_cleanup_free_ char *path =
			path_joinf(store_directory(store)->path, "%s%s",
				   asset->name, suffixes[i]);

		if (unlink(path) < 0 && errno != ENOENT)
			return error_create_os(errno, "delete %s", path);
	}
	return NULL;
}

/** What is no page, and cannot be read, is replaced by the next. */
static char *store_directory_page(struct store *store)
{
	_cleanup_free_ char *path =
		path_join(store_directory(store)->path, "README.md");
	char *text = NULL;

	error_destroy(file_read(path, SIZE_MAX / 2, &text, NULL));
	return text;
}

static struct error *store_directory_describe(struct store *store,
					      const char *markdown)
{
	struct error *err;

	const char *directory = store_directory(store)->path;
	_cleanup_free_ char *path = path_join(directory, "README.md");
	_cleanup_free_ char *text = store_directory_page(store);
	if (text && strcmp(text, markdown) == 0)
		return NULL;
	err = directory_create(directory);
	if (err)
		return err;
	return file_write(path, markdown, strlen(markdown));
}

const char *store_directory_path(const char *name)
{
	const char *prefix = store_directory_operations.prefix;

	return strncmp(name, prefix, strlen(prefix)) == 0 ? name + strlen(prefix)
							  : NULL;
}

const struct store_operations store_directory_operations = {
	.prefix = "dir:",
	.form = "dir:PATH",
	.create = store_directory_create,
	.destroy = store_directory_destroy,
	.list = store_directory_list,
	.open = store_directory_open,
	.put = store_directory_put,
	.check_writable = store_directory_check_writable,
	.delete = store_directory_delete,
	.page = store_directory_page,
	.describe = store_directory_describe,
};
