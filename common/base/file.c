// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/memory.h"

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

	va_start(ap, format);
	_cleanup_free_ char *name = string_vformat(format, ap);
	va_end(ap);
	return path_join(directory, name);
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *path_parent(const char *path)
{
	size_t length = (size_t)(path_name(path) - path);

	return length ? string_copy_n(path, length) : string_copy(".");
}

bool path_is_below(const char *path, const char *directory)
{
	size_t length = strcmp(directory, "/") == 0 ? 0 : strlen(directory);

	return strncmp(path, directory, length) == 0 &&
	       (!path[length] || path[length] == '/');
}

bool path_stays_below(const char *path)
{
	if (!*path || *path == '/')
		return false;
	for (; *path; path += strspn(path, "/")) {
		size_t length = strcspn(path, "/");

		if (length == 2 && path[0] == '.' && path[1] == '.')
			return false;
		path += length;
	}
	return true;
}

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

struct error *file_read(const char *path, size_t limit_bytes, char **text_ret,
			size_t *size_ret)
{
	// Who has put a pipe there would have us wait for ever.
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return error_create(ERROR_NOT_FOUND, "%s: no such file", path);
	if (fd < 0 || fcntl(fd, F_SETFL, 0) < 0)
		return error_create_os(errno, "open %s", path);
	return file_read_open(fd, path, limit_bytes, text_ret, size_ret);
}

struct error *file_read_open(int fd, const char *path, size_t limit_bytes,
			     char **text_ret, size_t *size_ret)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, capacity = 0;

	for (;;) {
		// Files in /proc and /sys do not tell their size.
		if (capacity - size < 2) {
			capacity = capacity ? 2 * capacity : 16384;
			text = memory_resize(text, capacity, 1);
		}
		ssize_t n = read(fd, text + size, capacity - size - 1);
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

/** A name that is taken by a device or a directory is none for a file. */
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

/**
 * What has the name of the directory may become a link meanwhile: the file is
 * looked up in the one that is open.
 */
static int open_parent(const char *path)
{
	_cleanup_free_ char *parent = path_parent(path);

	return open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/** Open a file that is not there yet. @return -1 with errno. */
static int open_new(int directory, const char *name, int flags)
{
	return openat(directory, name,
		      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | flags,
		      0666);
}

/** @param[out] name_ret Of a new file, `NAME.XXXXXX`. @return As open_new(). */
static int open_temporary(int directory, const char *name, char **name_ret)
{
	for (;;) {
		uint32_t number = 0;

		// A number that is taken is followed by another.
		(void)!getrandom(&number, sizeof(number), 0);
		_cleanup_free_ char *temporary =
			string_format("%s.%06x", name, number & 0xffffff);
		int fd = open_new(directory, temporary, 0);
		if (fd >= 0)
			*name_ret = take_ptr(temporary);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
}

struct error *file_write(const char *path, const void *data, size_t size_bytes)
{
	struct error *err;

	err = check_file(path);
	if (err)
		return err;
	const char *name = path_name(path);
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int directory = open_parent(path);
	_cleanup_close_ int fd =
		directory < 0 ? -1 : open_temporary(directory, name, &temporary);
	if (fd < 0)
		return error_create_os(errno, "write %s", path);
	int errnum = write_all(fd, data, size_bytes);
	if (!errnum && (fsync(fd) < 0 ||
			renameat(directory, temporary, directory, name) < 0))
		errnum = errno;
	if (!errnum)
		return NULL;
	unlinkat(directory, temporary, 0);
	return error_create_os(errnum, "write %s", path);
}

struct error *file_create(const char *path, int *fd_ret)
{
	struct error *err;

	err = check_file(path);
	if (err)
		return err;
	const char *name = path_name(path);
	_cleanup_close_ int directory = open_parent(path);
	if (directory < 0 ||
	    (unlinkat(directory, name, 0) < 0 && errno != ENOENT))
		return error_create_os(errno, "write %s", path);
	int fd = open_new(directory, name, O_APPEND);
	if (fd < 0)
		return error_create_os(errno, "write %s", path);
	*fd_ret = fd;
	return NULL;
}

/** Which of stdout and stderr it is; -1 for neither. */
static int find_stream(const struct stat *file)
{
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0 && st.st_dev == file->st_dev &&
		    st.st_ino == file->st_ino)
			return fd;
	}
	return -1;
}

/**
 * @param[out] replaces_ret Whether there is a file to replace, or nothing.
 * @param[out] stream_ret STDOUT_FILENO or STDERR_FILENO if it is that; else -1.
 */
static struct error *user_file_find(const char *path, bool *replaces_ret,
				    int *stream_ret)
{
	struct stat st;

	*replaces_ret = true;
	*stream_ret = -1;
	if (stat(path, &st) < 0)
		return NULL;
	if (S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
		return error_create(ERROR_USAGE, "%s is there, and not a file",
				    path);
	*stream_ret = find_stream(&st);
	*replaces_ret = S_ISREG(st.st_mode) && *stream_ret < 0;
	return NULL;
}

/** Open what is written to as it is. @param[in] stream -1 for neither. */
static struct error *user_file_open(const char *path, int stream, int *fd_ret)
{
	// What is on its way there comes first.
	fflush(stdout);
	// A pipe that nobody reads is not waited for.
	_cleanup_close_ int fd =
		stream < 0
			? open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
			: fcntl(stream, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || (stream < 0 && fcntl(fd, F_SETFL, 0) < 0))
		return error_create_os(errno, "open %s", path);
	*fd_ret = take_fd(&fd);
	return NULL;
}

struct error *user_file_write(const char *path, const void *data,
			      size_t size_bytes)
{
	struct error *err;

	int stream;
	bool replaces;
	err = user_file_find(path, &replaces, &stream);
	if (err)
		return err;
	if (replaces)
		return file_write(path, data, size_bytes);
	_cleanup_close_ int fd = -1;
	err = user_file_open(path, stream, &fd);
	if (err)
		return err;
	int errnum = write_all(fd, data, size_bytes);
	return errnum ? error_create_os(errnum, "write %s", path) : NULL;
}

struct error *user_file_create(const char *path, int *fd_ret)
{
	struct error *err;

	int stream;
	bool replaces;
	err = user_file_find(path, &replaces, &stream);
	if (err)
		return err;
	return replaces ? file_create(path, fd_ret)
			: user_file_open(path, stream, fd_ret);
}

struct error *user_file_delete(const char *path)
{
	struct error *err;

	int stream;
	bool replaces;
	err = user_file_find(path, &replaces, &stream);
	return err || !replaces ? err : file_delete(path);
}

/** @return 0, or an errno value. */
static int copy_contents(int from, int to)
{
	ssize_t n;

	do {
		n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
		// Some file systems do not copy, and none to another.
		if (n < 0)
			n = sendfile(to, from, NULL, 1 << 30);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? errno : 0;
}

struct error *file_copy(const char *from, const char *to)
{
	_cleanup_close_ int source = open(from, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (source < 0 || fstat(source, &st) < 0)
		return error_create_os(errno, "open %s", from);
	_cleanup_close_ int target =
		open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		     st.st_mode & 0777);
	if (target < 0)
		return error_create_os(errno, "write %s", to);
	int errnum = copy_contents(source, target);
	if (!errnum && fchmod(target, st.st_mode & 0777) < 0)
		errnum = errno;
	if (errnum)
		return error_create_os(errnum, "copy %s to %s", from, to);
	return NULL;
}

struct error *file_install(const char *from, const char *to)
{
	struct error *err;
	_cleanup_free_ char *temporary = string_format("%s.XXXXXX", to);
	_cleanup_close_ int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return error_create_os(errno, "write %s", to);
	err = file_copy(from, temporary);
	if (!err && (fsync(fd) < 0 || rename(temporary, to) < 0))
		err = error_create_os(errno, "write %s", to);
	if (err)
		unlink(temporary);
	return err;
}
