// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "common/base/error.h"

static sigset_t interrupt_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	return set;
}

void interrupt_block(void)
{
	sigset_t set = interrupt_set();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void interrupt_deliver(void)
{
	sigset_t set = interrupt_set();

	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

struct error *interrupt_check(void)
{
	sigset_t pending;

	sigemptyset(&pending);
	sigpending(&pending);
	if (sigismember(&pending, SIGINT) == 1)
		return error_create(ERROR_CANCELLED, "interrupted");
	if (sigismember(&pending, SIGTERM) == 1)
		return error_create(ERROR_CANCELLED, "terminated");
	return NULL;
}

struct error *interrupt_open(int *fd_ret)
{
	sigset_t set = interrupt_set();
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		return error_create_os(errno, "signalfd");
	*fd_ret = fd;
	return NULL;
}

struct error *interrupt_sleep(uint64_t duration_ms)
{
	struct error *err;
	_cleanup_close_ int fd = -1;
	struct pollfd poll_fd = { .events = POLLIN };
	struct timespec duration = {
		.tv_sec = (time_t)(duration_ms / 1000),
		.tv_nsec = (long)(duration_ms % 1000) * 1000000,
	};

	err = interrupt_open(&fd);
	if (err)
		return err;
	poll_fd.fd = fd;
	if (ppoll(&poll_fd, 1, &duration, NULL) < 0 && errno != EINTR)
		return error_create_os(errno, "poll");
	return interrupt_check();
}
