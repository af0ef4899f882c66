// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/cli/progress.h"

char *path_join(const char *directory, const char *name)
{
	size_t length = strlen(directory);

	while (length > 1 && directory[length - 1] == '/')
		length--;
	if (name[0] == '/' || length == 0)
		return string_copy(name);
	return string_format("%.*s%s%s", (int)length, directory,
			     directory[length - 1] == '/' ? "" : "/", name);
}

char *path_joinf(const char *directory, const char *format, ...)
{
	va_list ap;
	char *name;

	va_start(ap, format);
	if (vasprintf(&name, format, ap) < 0)
		memory_exhausted();
	va_end(ap);
	char *path = path_join(directory, name);
	free(name);
	return path;
}

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

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
		return error_create(ERROR_USAGE,
				    "make folder '': a folder's name is not empty");
	for (char *p = copy + 1;; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		errnum = mkdir(copy, 0777) < 0 ? errno : 0;
		if (errnum && !directory_exists(copy)) {
			// EEXIST: it is something else.
			return error_create_os(errnum == EEXIST ? ENOTDIR : errnum,
					       "make folder %s", copy);
		}
		*p = c;
		if (!c)
			return NULL;
	}
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
	int errnum = 0;

	if (!dir) {
		errnum = errno;
		close(fd);
		return errnum;
	}
	// Deleting an entry needs write permission on its folder.
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
		if (fchmodat(fd, name, 0700, 0) < 0 && errno != EPERM &&
		    errno != ENOENT) {
			errnum = errno;
			break;
		}
		child = openat(fd, name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
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

struct error *directory_remove(const char *path)
{
	int errnum;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return NULL;
	errnum = fd < 0 ? errno : remove_contents(fd);
	if (!errnum && rmdir(path) < 0 && errno != ENOENT)
		errnum = errno;
	if (errnum)
		return error_create_os(errnum, "delete folder %s", path);
	return NULL;
}

/**
 * Lock a new folder, unless somebody who removes stale ones was faster and has
 * deleted it, or is about to.
 *
 * @return 0; EAGAIN if so; or another errno value.
 */
static int lock_new(const char *path, int *fd_ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? EAGAIN : errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? EAGAIN : errno;
	if (fstat(fd, &st) < 0)
		return errno;
	if (st.st_nlink == 0)
		return EAGAIN;
	*fd_ret = take_fd(&fd);
	return 0;
}

struct error *directory_create_temporary(const char *parent, const char *prefix,
					 char **path_ret, int *lock_fd_ret)
{
	struct error *err;
	int errnum;

	err = directory_create(parent);
	if (err)
		return err;
	do {
		_cleanup_free_ char *path = NULL;

		path = path_joinf(parent, ".%s.XXXXXX", prefix);
		if (!mkdtemp(path))
			return error_create_os(errno, "make folder %s", path);
		errnum = lock_new(path, lock_fd_ret);
		if (!errnum)
			*path_ret = take_ptr(path);
		else if (errnum != EAGAIN) {
			rmdir(path);
			return error_create_os(errnum, "lock folder %s", path);
		}
	} while (errnum);
	return NULL;
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
			       : error_create_os(errno, "open folder %s", parent);
	while (!err && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		_cleanup_free_ char *path = NULL;
		_cleanup_close_ int fd = -1;

		if (name[0] != '.' || strncmp(name + 1, prefix, length) != 0 ||
		    name[length + 1] != '.' || strlen(name) != length + 8)
			continue;
		fd = openat(dirfd(dir), name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
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

struct error *file_read(const char *path, size_t limit_bytes, char **text_ret,
			size_t *size_ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t size = 0, capacity = 0;

	if (fd < 0 && errno == ENOENT)
		return error_create(ERROR_NOT_FOUND, "%s: no such file", path);
	if (fd < 0)
		return error_create_os(errno, "open %s", path);
	for (;;) {
		ssize_t n;

		// Files in /proc and /sys do not tell their size.
		if (capacity - size < 2) {
			char *larger;

			capacity = capacity ? 2 * capacity : 16384;
			larger = realloc(text, capacity);
			if (!larger)
				memory_exhausted();
			text = larger;
		}
		n = read(fd, text + size, capacity - size - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_create_os(errno, "read %s", path);
		if (n == 0)
			break;
		size += (size_t)n;
		if (size > limit_bytes)
			return error_create(ERROR_OTHER,
					    "%s: larger than %zu bytes", path,
					    limit_bytes);
	}
	text[size] = '\0';
	*text_ret = take_ptr(text);
	if (size_ret)
		*size_ret = size;
	return NULL;
}

int write_all(int fd, const void *data, size_t size_bytes)
{
	const char *p = data;

	while (size_bytes) {
		ssize_t n = write(fd, p, size_bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		p += n;
		size_bytes -= (size_t)n;
	}
	return 0;
}

struct error *file_stream(int fd, file_sink sink, void *arg)
{
	enum {
		PIECE_BYTES = 1 << 20
	};
	struct error *err;
	_cleanup_free_ char *buffer = memory_allocate(1, PIECE_BYTES);
	for (;;) {
		ssize_t count;

		err = interrupt_check();
		if (err)
			return err;
		count = read(fd, buffer, PIECE_BYTES);
		if (count < 0)
			return error_create_os(errno, "read");
		if (count == 0)
			return NULL;
		err = sink(arg, buffer, (size_t)count);
		if (err)
			return err;
	}
}

/** A name that is taken by a device or a folder is none for a file. */
static struct error *check_file(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
		return NULL;
	return error_create(ERROR_USAGE, "%s is there, and not a file", path);
}

struct error *file_delete(const char *path)
{
	struct error *err = check_file(path);

	if (err)
		return err;
	if (unlink(path) < 0 && errno != ENOENT)
		return error_create_os(errno, "delete %s", path);
	return NULL;
}

struct error *file_write(const char *path, const void *data, size_t size_bytes)
{
	struct error *err = check_file(path);
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int fd = -1;
	mode_t mask;
	int errnum;

	if (err)
		return err;
	temporary = string_format("%s.XXXXXX", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return error_create_os(errno, "write %s", path);
	mask = umask(0);
	umask(mask);
	errnum = write_all(fd, data, size_bytes);
	if (!errnum && (fchmod(fd, 0666 & ~mask) < 0 || fsync(fd) < 0 ||
			rename(temporary, path) < 0))
		errnum = errno;
	if (!errnum)
		return NULL;
	unlink(temporary);
	return error_create_os(errnum, "write %s", path);
}

static int copy_contents(int from, int to)
{
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	for (;;) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);

		if (n == 0)
			return 0;
		if (n < 0)
			break;
	}
	// Some file systems do not copy; the offsets tell how far we came.
	for (;;) {
		char buffer[65536];
		ssize_t n = read(from, buffer, sizeof(buffer));
		int errnum;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : 0;
		errnum = write_all(to, buffer, (size_t)n);
		if (errnum)
			return errnum;
	}
}

struct error *file_copy(const char *from, const char *to)
{
	_cleanup_close_ int source = -1, target = -1;
	struct stat st;
	int errnum;

	source = open(from, O_RDONLY | O_CLOEXEC);
	if (source < 0 || fstat(source, &st) < 0)
		return error_create_os(errno, "open %s", from);
	target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		      st.st_mode & 0777);
	if (target < 0)
		return error_create_os(errno, "write %s", to);
	errnum = copy_contents(source, target);
	if (!errnum && fchmod(target, st.st_mode & 0777) < 0)
		errnum = errno;
	if (errnum)
		return error_create_os(errnum, "copy %s to %s", from, to);
	return NULL;
}

/** Across file systems. */
static struct error *move_by_copy(const char *from, const char *to)
{
	struct error *err;
	_cleanup_free_ char *temporary = NULL;

	temporary = string_format("%s.XXXXXX", to);

	_cleanup_close_ int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return error_create_os(errno, "write %s", to);
	err = file_copy(from, temporary);
	if (!err && (fsync(fd) < 0 || rename(temporary, to) < 0))
		err = error_create_os(errno, "write %s", to);
	if (err) {
		unlink(temporary);
		return err;
	}
	if (unlink(from) < 0)
		return error_create_os(errno, "delete %s", from);
	return NULL;
}

struct error *file_move(const char *from, const char *to)
{
	if (rename(from, to) == 0)
		return NULL;
	if (errno == EXDEV)
		return move_by_copy(from, to);
	return error_create_os(errno, "rename %s to %s", from, to);
}

struct error *file_lock(const char *path, int *fd_ret)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	_cleanup_progress_ struct progress *progress = NULL;
	bool told = false;

	if (fd < 0)
		return error_create_os(errno, "open %s", path);
	// flock(2) cannot be waited for together with a signal.
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		struct error *err;

		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_create_os(errno, "lock %s", path);
		if (!told) {
			log_info("waiting for another process that holds %s",
				 path);
			progress = progress_createf(PROGRESS_TIME,
						    "wait for %s", path);
		}
		told = true;
		err = interrupt_check();
		if (err)
			return err;
		poll(NULL, 0, 50);
	}
	*fd_ret = take_fd(&fd);
	return NULL;
}
