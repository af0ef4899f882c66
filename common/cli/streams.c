// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/cli/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/error.h"

struct error *streams_open(void)
{
	int fd;

	signal(SIGPIPE, SIG_IGN);
	// Not for writing: results that go nowhere are an error.
	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return error_create_os(errno, "open /dev/null");
	close(fd);
	return NULL;
}

struct error *streams_flush(void)
{
	struct pollfd fd = { STDOUT_FILENO, POLLOUT, 0 };

	if (fflush(stdout) == 0 && !ferror(stdout))
		return NULL;
	// The errno may be of another call than the one that failed.
	int errnum = errno;

	if (poll(&fd, 1, 0) == 1 && fd.revents & (POLLERR | POLLHUP)) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	return error_create_os(errnum, "write to stdout");
}
