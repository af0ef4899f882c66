// SPDX-License-Identifier: LGPL-2.1-or-later

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/store/store_internal.h"

/**
 * A store in a directory. Beside each NAME lies NAME.sha256, as sha256sum(1)
 * writes it, and NAME.label where it has one; both are there before the package
 * is. Writers hold the lock of a file, so that whatever temporary one of them
 * finds is a dead run's.
 */
struct store_directory {
	struct store store;
	char *path;
};

static const char lock_name[] = ".lock";
static const char temporary_prefix[] = ".put.";

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

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define _cleanup_closedir_ _cleanup_(cleanup_closedir)

enum {
	LABEL_BYTES_MAX = 4096,
};

static char *label_path(const char *directory, const char *name)
{
	return path_joinf(directory, "%s.label", name);
}

/** @param[in] label NULL to delete what is there. */
static struct error *label_write(const char *directory, const char *name,
				 const char *label)
{
	_cleanup_free_ char *path = label_path(directory, name);

	if (label)
		return file_write(path, label, strlen(label));
	return file_delete(path);
}

static struct error *add_asset(struct store_directory *directory,
			       const char *name, const struct stat *st,
			       struct asset_list *list)
{
	struct error *err;
	_cleanup_free_ char *label = label_path(directory->path, name);
	_cleanup_asset_ struct asset asset = {
		.size_bytes = (uint64_t)st->st_size,
		.created = st->st_mtime,
		.name = string_copy(name),
		.url = path_join(directory->path, name),
	};

	err = sidecar_read(directory->path, name, asset.digest);
	if (err)
		return err;
	err = file_read(label, LABEL_BYTES_MAX, &asset.label, NULL);
	if (err && !error_catch(&err, ERROR_NOT_FOUND))
		return err;
	vector_add(list) = take(asset);
	return NULL;
}

static struct error *store_directory_list(struct store *store,
					  struct asset_list *ret)
{
	struct error *err;
	struct store_directory *directory = store_directory(store);
	_cleanup_closedir_ DIR *dir = opendir(directory->path);
	struct dirent *entry;

	if (!dir && errno == ENOENT)
		return NULL;
	if (!dir)
		return error_create_os(errno, "open %s", directory->path);
	while ((errno = 0, entry = readdir(dir))) {
		struct stat st;

		if (!asset_name_is_valid(entry->d_name))
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) < 0) {
			// Deleted since.
			if (errno == ENOENT)
				continue;
			return error_create_os(errno, "stat %s/%s",
					       directory->path, entry->d_name);
		}
		if (!S_ISREG(st.st_mode))
			continue;
		err = add_asset(directory, entry->d_name, &st, ret);
		if (err)
			return err;
	}
	if (errno)
		return error_create_os(errno, "read %s", directory->path);
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

/** Remove what runs that died have left. The lock is held. */
static void remove_temporaries(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, temporary_prefix,
			    strlen(temporary_prefix)) == 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
}

static void sync_directory(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	// Not every file system can; then the rename is as good as it gets.
	if (fd >= 0)
		fsync(fd);
}

static struct error *put_new(struct store_directory *directory,
			     struct stream *source, const char *name,
			     const char *label, const char *path)
{
	struct error *err;
	_cleanup_free_ char *temporary = path_joinf(directory->path,
						    "%s%s.XXXXXX",
						    temporary_prefix, name);
	_cleanup_close_ int fd = mkostemp(temporary, O_CLOEXEC);
	char digest[DIGEST_TEXT_SIZE];

	if (fd < 0)
		return error_create_os(errno, "create %s", temporary);
	err = stream_save(source, fd, temporary, digest);
	if (!err)
		err = sidecar_write(directory->path, name, digest);
	if (!err)
		err = label_write(directory->path, name, label);
	if (!err && rename(temporary, path) < 0)
		err = error_create_os(errno, "rename to %s", path);
	if (err)
		unlink(temporary);
	else
		sync_directory(directory->path);
	return err;
}

/** The name is taken: by the same file, if all is well. */
static struct error *put_existing(struct store_directory *directory,
				  const char *source, const char *name,
				  const char *path)
{
	struct error *err;
	char ours[DIGEST_TEXT_SIZE], theirs[DIGEST_TEXT_SIZE];

	err = digest_file(source, ours, NULL);
	if (!err)
		err = digest_file(path, theirs, NULL);
	if (err)
		return err;
	if (strcmp(ours, theirs) != 0) {
		return error_create(ERROR_EXISTS,
				    "%s is there with another digest; rebuild under a new name",
				    path);
	}
	return sidecar_write(directory->path, name, ours);
}

static struct error *store_directory_put(struct store *store, const char *source,
					 const char *name, const char *label,
					 struct progress *progress,
					 char **url_ret)
{
	struct error *err;
	struct store_directory *directory = store_directory(store);
	_cleanup_free_ char *path = path_join(directory->path, name);
	_cleanup_free_ char *lock_path = path_join(directory->path, lock_name);
	_cleanup_stream_ struct stream *stream = NULL;
	_cleanup_close_ int lock_fd = -1;

	err = stream_open_file(source, &stream);
	if (err)
		return err;
	stream->progress = progress;
	err = directory_create(directory->path);
	if (err)
		return err;
	err = file_lock(lock_path, &lock_fd);
	if (err)
		return err;
	remove_temporaries(directory->path);
	if (file_exists(path))
		err = put_existing(directory, source, name, path);
	else
		err = put_new(directory, stream, name, label, path);
	if (err)
		return err;
	*url_ret = take_ptr(path);
	return NULL;
}

static struct error *store_directory_delete(struct store *store,
					    const struct asset *asset)
{
	struct error *err;
	const char *directory = store_directory(store)->path;
	_cleanup_free_ char *path = path_join(directory, asset->name);

	// A sidecar without its package is invisible; not so the reverse.
	if (unlink(path) < 0 && errno != ENOENT)
		return error_create_os(errno, "delete %s", path);
	err = sidecar_delete(directory, asset->name);
	if (err)
		return err;
	return label_write(directory, asset->name, NULL);
}

static struct error *store_directory_describe(struct store *store,
					      const char *markdown)
{
	struct error *err;
	const char *directory = store_directory(store)->path;
	_cleanup_free_ char *path = path_join(directory, "README.md");
	_cleanup_free_ char *text = NULL;

	err = file_read(path, SIZE_MAX / 2, &text, NULL);
	if (!err && strcmp(text, markdown) == 0)
		return NULL;
	// Whatever it was that could not be read, it is replaced.
	error_destroy(err);
	err = directory_create(directory);
	if (err)
		return err;
	return file_write(path, markdown, strlen(markdown));
}

const struct store_operations store_directory_operations = {
	.prefix = "dir:",
	.form = "dir:PATH",
	.create = store_directory_create,
	.destroy = store_directory_destroy,
	.list = store_directory_list,
	.open = store_directory_open,
	.put = store_directory_put,
	.delete = store_directory_delete,
	.describe = store_directory_describe,
};
