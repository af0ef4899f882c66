// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
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
	_cleanup_free_ char *copy = strdup(path);
	int errnum;

	if (!copy)
		memory_exhausted();
	if (!*path)
		return error_create(
			ERROR_USAGE,
			"make directory '': a directory's name is not empty");
	for (char *p = copy + 1;; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		errnum = mkdir(copy, 0777) < 0 ? errno : 0;
		if (errnum && !directory_exists(copy)) {
			// EEXIST: it is something else.
			return error_create_os(errnum == EEXIST ? ENOTDIR : errnum,
					       "make directory %s", copy);
		}
		*p = c;
		if (!c)
			return NULL;
	}
}

/**
 * Open a directory to delete what it holds. A symbolic link that takes its
 * place meanwhile leads nowhere: not even the mode of its target changes.
 */
static int open_child(int fd, const char *name)
{
	const int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int child = openat(fd, name, O_RDONLY | flags);
	char link[32];

	if (child >= 0 || errno != EACCES)
		return child;

	_cleanup_close_ int path_fd = openat(fd, name, O_PATH | flags);

	if (path_fd < 0)
		return -1;
	// fchmod(2) takes no descriptor of a path.
	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	if (chmod(link, 0700) < 0)
		return -1;
	return openat(path_fd, ".", O_RDONLY | flags);
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
		int child;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM) {
			errnum = errno;
			break;
		}
		child = open_child(fd, name);
		if (child < 0 && errno == ENOENT)
			continue;
		errnum = child < 0 ? errno : remove_contents(child);
		if (!errnum && unlinkat(fd, name, AT_REMOVEDIR) < 0 &&
		    errno != ENOENT)
			errnum = errno;
	}
	if (!errnum)
		errnum = errno;
	closedir(dir);
	return errnum;
}

struct error *directory_clear(const char *path)
{
	int errnum;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return NULL;
	errnum = fd < 0 ? errno : remove_contents(fd);
	if (errnum)
		return error_create_os(errnum, "delete directory %s", path);
	return NULL;
}

struct error *directory_remove(const char *path)
{
	struct error *err = directory_clear(path);

	if (!err && rmdir(path) < 0 && errno != ENOENT)
		err = error_create_os(errno, "delete directory %s", path);
	return err;
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
	struct error *err = NULL;
	size_t length = strlen(prefix);
	DIR *dir = opendir(parent);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT
			       ? NULL
			       : error_create_os(errno, "open directory %s",
						 parent);
	while (!err && (entry = readdir(dir))) {
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
	}
	closedir(dir);
	return err;
}

void cleanup_directory(char **path)
{
	struct error *err;

	if (!*path)
		return;
	err = directory_remove(*path);
	if (err) {
		log_warning("%s", error_message(err));
		error_destroy(err);
	}
	free(*path);
}

void cleanup_fts(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
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

struct error *tree_check(const FTSENT *entry)
{
	switch (entry->fts_info) {
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return error_create_os(entry->fts_errno, "read %s",
				       entry->fts_path);
	default:
		return interrupt_check();
	}
}

struct error *tree_open(const char *path, int options, FTS **ret, size_t *skip_ret)
{
	size_t length = strlen(path);

	// fts(3) adds a slash only where there is none.
	while (length > 1 && path[length - 1] == '/')
		length--;
	_cleanup_free_ char *base = string_copy_n(path, length);
	char *roots[] = { base, NULL };
	*ret = fts_open(roots, options | FTS_NOCHDIR, compare_entries);
	if (!*ret)
		return error_create_os(errno, "read %s", path);
	*skip_ret = length + 1;
	return NULL;
}

struct error *tree_list(const char *path, const char *const *skip,
			struct string_list *ret)
{
	struct error *err;

	_cleanup_string_list_ struct string_list list = { 0 };
	_cleanup_fts_ FTS *fts = NULL;
	size_t length;
	err = tree_open(path, FTS_LOGICAL, &fts, &length);
	if (err)
		return err;
	for (;;) {
		errno = 0;

		FTSENT *entry = fts_read(fts);

		if (!entry && errno)
			return error_create_os(errno, "read %s", path);
		if (!entry)
			break;
		if (is_skipped(entry, skip)) {
			fts_set(fts, entry, FTS_SKIP);
			continue;
		}
		err = tree_check(entry);
		if (err)
			return err;
		if (entry->fts_info == FTS_F)
			string_list_add(&list, entry->fts_path + length);
	}
	*ret = take(list);
	return NULL;
}

struct error *tree_copy(const char *from, const struct string_list *files,
			const char *to)
{
	struct error *err;

	err = directory_create(to);
	if (err)
		return err;
	for (size_t i = 0; i < files->count; i++) {
		_cleanup_free_ char *source = NULL;
		_cleanup_free_ char *target = NULL;

		err = interrupt_check();
		if (err)
			return err;
		source = path_join(from, files->items[i]);
		target = path_join(to, files->items[i]);

		char *slash = strrchr(target, '/');

		*slash = '\0';
		err = directory_create(target);
		if (err)
			return err;
		*slash = '/';
		err = file_copy(source, target);
		if (err)
			return err;
	}
	return NULL;
}
