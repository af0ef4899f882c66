// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"

bool directory_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

struct error *directory_create(const char *path)
{
	if (!*path)
		return error_create(
			ERROR_USAGE,
			"make directory '': a directory's name is not empty");
	if (directory_exists(path))
		return NULL;
	// Each of its parents first.
	for (size_t length = 1;; length++) {
		length += strcspn(path + length, "/");
		_cleanup_free_ char *part = string_copy_n(path, length);
		int errnum = mkdir(part, 0777) < 0 ? errno : 0;

		// EEXIST: it is something else.
		if (errnum && !directory_exists(part))
			return error_create_os(errnum == EEXIST ? ENOTDIR : errnum,
					       "make directory %s", part);
		if (!path[length])
			return NULL;
	}
}

struct error *directory_create_private(const char *path)
{
	struct error *err;

	_cleanup_free_ char *parent = path_parent(path);
	err = directory_create(parent);
	if (err)
		return err;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_create_os(errno, "make directory %s", path);
	return NULL;
}

/**
 * Open a directory to delete what it holds. A symbolic link that takes its
 * place meanwhile leads nowhere: not even the mode of its target changes.
 */
static int open_child(int fd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int child = openat(fd, name, flags);

	if (child < 0 && errno == EACCES &&
	    fchmodat(fd, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		child = openat(fd, name, flags);
	return child;
}

/**
 * What is gone meanwhile is no error: others may be deleting the same.
 *
 * @return 0, or an errno value. Takes the descriptor.
 */
static int remove_contents(int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	struct stat st;
	int errnum = 0;

	if (!dir) {
		errnum = errno;
		close(fd);
		return errnum;
	}
	// Deleting an entry needs write permission on its directory.
	if (fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
		fchmod(fd, 0700);
	while (!errnum && (errno = 0, entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM) {
			errnum = errno;
			break;
		}
		int child = open_child(fd, name);
		errnum = child < 0 ? errno : remove_contents(child);
		if (!errnum && unlinkat(fd, name, AT_REMOVEDIR) < 0)
			errnum = errno;
		if (errnum == ENOENT)
			errnum = 0;
	}
	if (!errnum)
		errnum = errno;
	closedir(dir);
	return errnum;
}

struct error *directory_clear(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int errnum = fd < 0 ? errno : remove_contents(fd);

	if (errnum && errnum != ENOENT)
		return error_create_os(errnum, "delete directory %s", path);
	return NULL;
}

struct error *directory_remove(const char *path)
{
	struct error *err = directory_clear(path);

	if (err)
		return err;
	if (rmdir(path) < 0 && errno != ENOENT)
		return error_create_os(errno, "delete directory %s", path);
	return NULL;
}

struct error *directory_create_temporary(const char *parent, const char *prefix,
					 char **path_ret, int *lock_fd_ret)
{
	struct error *err;

	err = directory_create(parent);
	if (err)
		return err;
	for (;;) {
		_cleanup_free_ char *path =
			path_joinf(parent, ".%s.XXXXXX", prefix);

		if (!mkdtemp(path))
			return error_create_os(errno, "make directory %s", path);

		_cleanup_close_ int fd =
			open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int errnum = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ? errno
									: 0;

		if (!errnum && lock_is_of(fd, path)) {
			*path_ret = take_ptr(path);
			*lock_fd_ret = take_fd(&fd);
			return NULL;
		}
		// Before it was locked, somebody may have taken it for stale.
		if (errnum && errnum != ENOENT && errnum != EWOULDBLOCK) {
			rmdir(path);
			return error_create_os(errnum, "lock directory %s", path);
		}
	}
}

struct error *directory_remove_stale(const char *parent, const char *prefix)
{
	struct error *err;
	size_t length = strlen(prefix);
	_cleanup_closedir_ DIR *dir = opendir(parent);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT
			       ? NULL
			       : error_create_os(errno, "open directory %s",
						 parent);
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		_cleanup_free_ char *path = NULL;
		_cleanup_close_ int fd = -1;
		struct stat st;

		if (name[0] != '.' || strncmp(name + 1, prefix, length) != 0 ||
		    name[length + 1] != '.' || strlen(name) != length + 8)
			continue;
		fd = openat(dirfd(dir), name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		// In /tmp, others may choose the same name.
		if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() ||
		    flock(fd, LOCK_EX | LOCK_NB) < 0)
			continue;
		path = path_join(parent, name);
		err = directory_remove(path);
		if (err)
			return err;
	}
	return NULL;
}

void cleanup_directory(char **path)
{
	_cleanup_error_ struct error *err = *path ? directory_remove(*path)
						  : NULL;

	if (err)
		log_warning("%s", error_message(err));
	free(*path);
}

static int compare_entries(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_skipped(const FTSENT *entry, const char *const *skip)
{
	for (; skip && *skip; skip++) {
		if (entry->fts_level > 0 &&
		    fnmatch(*skip, entry->fts_name, 0) == 0)
			return true;
	}
	return false;
}

/** @param[in] fts_path Of the directory, without a slash at its end. */
static struct error *list_entries(FTS *fts, const char *fts_path,
				  const char *const *skip, bool all,
				  struct string_list *list)
{
	FTSENT *entry;

	for (errno = 0; (entry = fts_read(fts)); errno = 0) {
		struct error *err = interrupt_check();

		if (err)
			return err;
		if (is_skipped(entry, skip))
			fts_set(fts, entry, FTS_SKIP);
		else if (entry->fts_info == FTS_DNR ||
			 entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
			return error_create_os(entry->fts_errno, "read %s",
					       entry->fts_path);
		else if (all ? entry->fts_level > 0 && entry->fts_info != FTS_DP
			     : entry->fts_info == FTS_F)
			string_list_add(list,
					entry->fts_path + strlen(fts_path) + 1);
	}
	return errno ? error_create_os(errno, "read %s", fts_path) : NULL;
}

/** @param[in] all Of whatever kind, and links are not followed. */
static struct error *list_tree(const char *path, const char *const *skip,
			       bool all, struct string_list *ret)
{
	struct error *err;
	size_t length = strlen(path);

	// fts(3) adds a slash only where there is none.
	while (length > 1 && path[length - 1] == '/')
		length--;
	_cleanup_free_ char *root = string_copy_n(path, length);
	char *roots[] = { root, NULL };
	FTS *fts = fts_open(roots,
			    FTS_NOCHDIR | (all ? FTS_PHYSICAL : FTS_LOGICAL),
			    compare_entries);
	if (!fts)
		return error_create_os(errno, "read %s", path);
	_cleanup_string_list_ struct string_list list = { 0 };
	err = list_entries(fts, root, skip, all, &list);
	fts_close(fts);
	if (!err)
		*ret = take(list);
	return err;
}

struct error *tree_list(const char *path, const char *const *skip,
			struct string_list *ret)
{
	return list_tree(path, skip, false, ret);
}

struct error *tree_list_all(const char *path, struct string_list *ret)
{
	return list_tree(path, NULL, true, ret);
}

struct error *tree_copy(const char *from, const char *const *skip, const char *to)
{
	struct error *err;

	_cleanup_string_list_ struct string_list files = { 0 };
	err = tree_list(from, skip, &files);
	if (err)
		return err;
	err = directory_create(to);
	if (err)
		return err;
	for (size_t i = 0; i < files.count; i++) {
		_cleanup_free_ char *source = path_join(from, files.items[i]);
		_cleanup_free_ char *target = path_join(to, files.items[i]);
		_cleanup_free_ char *parent = path_parent(target);

		err = directory_create(parent);
		if (err)
			return err;
		err = file_copy(source, target);
		if (err)
			return err;
		err = interrupt_check();
		if (err)
			return err;
	}
	return NULL;
}
