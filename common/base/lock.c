// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/progress.h"

bool lock_is_of(int fd, const char *path)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && stat(path, &named) == 0 &&
	       ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

/** Wait for a lock; of a name that then stands for something else, in vain. */
static struct error *wait_for(int fd, const char *path)
{
	_cleanup_progress_ struct progress *progress = NULL;

	// Signals are caught with SA_RESTART: they would not end a blocking
	// flock(2).
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		struct error *err;

		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_create_os(errno, "lock %s", path);
		if (!lock_is_of(fd, path))
			return NULL;
		if (!progress) {
			log_info("waiting for another process that holds %s",
				 path);
			progress = progress_createf(PROGRESS_TIME,
						    "wait for %s", path);
		}
		err = interrupt_sleep(50);
		if (err)
			return err;
	}
	return NULL;
}

/** Lock what has the name once the lock is taken. */
static struct error *lock_path(const char *path, int flags, int *fd_ret)
{
	bool is_directory = flags & O_DIRECTORY;

	for (;;) {
		struct error *err = is_directory ? directory_create(path) : NULL;

		if (err)
			return err;

		_cleanup_close_ int fd = open(path, flags | O_CLOEXEC, 0666);

		if (fd < 0 && is_directory && errno == ENOENT)
			continue;
		if (fd < 0)
			return error_create_os(errno, "open %s", path);
		err = wait_for(fd, path);
		if (err)
			return err;
		if (lock_is_of(fd, path)) {
			*fd_ret = take_fd(&fd);
			return NULL;
		}
	}
}

struct error *file_lock(const char *path, int *fd_ret)
{
	return lock_path(path, O_RDWR | O_CREAT, fd_ret);
}

struct error *directory_lock(const char *path, int *fd_ret)
{
	return lock_path(path, O_RDONLY | O_DIRECTORY, fd_ret);
}
