// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"

/** Where there is no O_TMPFILE, as on some network and overlay file systems. */
static struct error *create_and_unlink(const char *directory, int *fd_ret)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	path = path_join(directory, ".vmtest-disk.XXXXXX");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return error_create_os(errno, "make a disk in %s", directory);
	unlink(path);
	*fd_ret = fd;
	return NULL;
}

struct error *disk_create(const char *directory, uint64_t size_bytes, int *fd_ret)
{
	struct error *err;

	_cleanup_close_ int fd = -1;

	fd = open(directory, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		err = create_and_unlink(directory, &fd);
		if (err)
			return err;
	}
	if (fd < 0 || ftruncate(fd, (off_t)size_bytes) < 0)
		return error_create_os(errno, "make a disk in %s", directory);
	*fd_ret = take_fd(&fd);
	return NULL;
}
