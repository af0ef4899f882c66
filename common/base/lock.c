// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/file.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/cli/progress.h"

struct error *file_lock(const char *path, int *fd_ret)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	_cleanup_progress_ struct progress *progress = NULL;
	bool told = false;

	if (fd < 0)
		return error_create_os(errno, "open %s", path);
	// flock(2) cannot be waited for together with a signal that is blocked.
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
