// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/cache/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"

enum {
	/** An entry gets its name, or loses it, while it is locked. */
	RENAME_TRIES = 100,
	RENAME_TRY_MS = 10,
};

static const char partial_prefix[] = ".partial.";
static const char deleted_prefix[] = "vmtest-deleted";

void cache_release(struct cache_entry *entry)
{
	if (!entry)
		return;
	close(entry->fd);
	free(entry->path);
	free(entry);
}

/** Where the last part of a path begins. */
static size_t name_offset(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash + 1 - path) : 0;
}

static char *parent_of(const char *path)
{
	size_t offset = name_offset(path);

	return offset ? string_copy_n(path, offset) : string_copy(".");
}

/** @param[out] fd_ret -1 if it is not there, or stays locked. */
static struct error *open_shared(const char *path, int *fd_ret)
{
	for (int i = 0; i < RENAME_TRIES; i++) {
		_cleanup_close_ int fd =
			open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		bool is_locked;

		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			break;
		if (fd < 0)
			return error_create_os(errno, "open %s", path);
		is_locked = flock(fd, LOCK_SH | LOCK_NB) < 0 &&
			    errno == EWOULDBLOCK;
		if (!is_locked && lock_is_of(fd, path)) {
			*fd_ret = take_fd(&fd);
			return NULL;
		}
		if (is_locked)
			poll(NULL, 0, RENAME_TRY_MS);
	}
	*fd_ret = -1;
	return NULL;
}

struct error *cache_hold(const char *path, struct cache_entry **ret)
{
	struct error *err;
	int fd = -1;

	err = open_shared(path, &fd);
	if (err)
		return err;
	*ret = NULL;
	if (fd < 0)
		return NULL;
	*ret = memory_allocate(1, sizeof(**ret));
	(*ret)->path = string_copy(path);
	(*ret)->fd = fd;
	return NULL;
}

void cache_touch(const struct cache_entry *entry)
{
	// Who may not write there may still use it.
	futimens(entry->fd, NULL);
}

/** Take a directory's name away. @param[out] deleted_ret Its new one. */
static struct error *retire(const char *path, char **deleted_ret)
{
	struct error *err;
	_cleanup_free_ char *parent = parent_of(path);
	_cleanup_free_ char *deleted = NULL;
	_cleanup_close_ int lock_fd = -1;

	err = directory_create_temporary(parent, deleted_prefix, &deleted,
					 &lock_fd);
	if (err)
		return err;
	// It takes the place of the empty one.
	if (rename(path, deleted) < 0) {
		err = error_create_os(errno, "rename %s to %s", path, deleted);
		rmdir(deleted);
		return err;
	}
	*deleted_ret = take_ptr(deleted);
	return NULL;
}

/** Exchange two names, and take the second's away where that cannot be done. */
static struct error *exchange(const char *from, const char *to)
{
	struct error *err;
	_cleanup_free_ char *deleted = NULL;

	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) == 0)
		return NULL;
	// Not all file systems can.
	err = retire(to, &deleted);
	if (!err && rename(from, to) < 0)
		err = error_create_os(errno, "rename %s to %s", from, to);
	return err;
}

struct error *cache_replace(const char *from, const char *to)
{
	struct error *err;
	_cleanup_free_ char *parent = parent_of(to);
	_cleanup_free_ char *aside = NULL;

	if (rename(from, to) == 0)
		return NULL;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return error_create_os(errno, "rename %s to %s", from, to);
	// What is replaced gets a name under which it may be deleted at once.
	err = retire(from, &aside);
	if (!err)
		err = exchange(aside, to);
	return err ? err : directory_remove_stale(parent, deleted_prefix);
}

struct error *cache_discard(const char *path)
{
	struct error *err;
	_cleanup_free_ char *deleted = NULL;

	err = retire(path, &deleted);
	return err ? err : directory_remove(deleted);
}

struct error *cache_evict(const char *path, bool dry_run, bool *gone_ret)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		return error_create_os(errno, "open %s", path);
	*gone_ret = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0;
	if (!*gone_ret && errno != EWOULDBLOCK)
		return error_create_os(errno, "lock %s", path);
	if (dry_run || !*gone_ret)
		return NULL;
	if (fd < 0 && unlink(path) < 0 && errno != ENOENT)
		return error_create_os(errno, "delete %s", path);
	// Somebody else may have been faster.
	return fd >= 0 && lock_is_of(fd, path) ? cache_discard(path) : NULL;
}

/** Evict what has a name that begins so. */
static struct error *evict_names(const char *parent, const char *prefix,
				 const char *except)
{
	struct error *err = NULL;
	struct dirent **names;
	// At once: what is read while names go may be read twice, or not at all.
	int count = scandir(parent, &names, NULL, NULL);

	if (count < 0)
		return errno == ENOENT
			       ? NULL
			       : error_create_os(errno, "read %s", parent);
	for (int i = 0; i < count; i++) {
		_cleanup_free_ struct dirent *entry = names[i];
		const char *name = entry->d_name;
		bool gone;

		if (err || strncmp(name, prefix, strlen(prefix)) != 0 ||
		    strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    (except && strcmp(name, except) == 0))
			continue;
		_cleanup_free_ char *path = path_join(parent, name);
		err = cache_evict(path, false, &gone);
	}
	free(names);
	return err;
}

struct error *cache_evict_all(const char *parent, const char *except)
{
	return evict_names(parent, "", except);
}

struct error *cache_clean(const char *parent, bool keeps_partial)
{
	struct error *err;

	if (!keeps_partial) {
		err = evict_names(parent, partial_prefix, NULL);
		if (err)
			return err;
	}
	return directory_remove_stale(parent, deleted_prefix);
}

/** @param[out] ret NULL unless it is there, and will do. */
static struct error *find(const char *path, const struct cache_recipe *recipe,
			  struct cache_entry **ret)
{
	struct error *err;
	_cleanup_cache_entry_ struct cache_entry *entry = NULL;
	bool is_good = true;

	*ret = NULL;
	if (recipe->force)
		return NULL;
	err = cache_hold(path, &entry);
	if (err || !entry)
		return err;
	if (recipe->check)
		err = recipe->check(recipe->arg, path, &is_good);
	if (err || !is_good)
		return err;
	cache_touch(entry);
	*ret = take_ptr(entry);
	return NULL;
}

/** Make it under a name for now, whose lock the caller holds, and rename it. */
static struct error *make_locked(const char *path,
				 const struct cache_recipe *recipe,
				 const char *partial)
{
	struct error *err;
	_cleanup_free_ char *parent = parent_of(path);

	err = cache_clean(parent, recipe->keeps_partial);
	if (!err && !recipe->keeps_partial)
		err = directory_clear(partial);
	if (!err)
		err = recipe->make(recipe->arg, partial);
	return err ? err : cache_replace(partial, path);
}

/** @param[out] ret NULL if it was made, but is gone again. */
static struct error *find_or_make(const char *path,
				  const struct cache_recipe *recipe,
				  const char *partial, struct cache_entry **ret)
{
	struct error *err;

	_cleanup_close_ int lock_fd = -1;
	err = directory_lock(partial, &lock_fd);
	if (err)
		return err;
	// Who had the lock may have made it.
	err = find(path, recipe, ret);
	bool is_needed = !err && !*ret;
	if (is_needed)
		err = make_locked(path, recipe, partial);
	if (err || !is_needed) {
		bool is_kept = is_needed && recipe->keeps_partial;

		if (!is_kept && lock_is_of(lock_fd, partial))
			error_destroy(directory_remove(partial));
		return err;
	}
	close(take_fd(&lock_fd));
	err = cache_hold(path, ret);
	if (err || !*ret)
		return err;
	(*ret)->made = true;
	cache_touch(*ret);
	return NULL;
}

struct error *cache_get(const char *path, const struct cache_recipe *recipe,
			struct cache_entry **ret)
{
	struct error *err;
	size_t offset = name_offset(path);
	_cleanup_free_ char *partial = string_format("%.*s%s%s", (int)offset,
						     path, partial_prefix,
						     path + offset);

	err = find(path, recipe, ret);
	while (!err && !*ret)
		err = find_or_make(path, recipe, partial, ret);
	return err;
}
