// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "common/base/error.h"
#include "common/base/system.h"

enum {
	/**
	 * What comes so soon after the first signal is the same one: timeout(1)
	 * sends it to its child and to the group, a terminal to the group, of
	 * which a wrapper passes it on.
	 */
	SAME_MS = 500,
};

// A handler has nothing but globals.
static volatile sig_atomic_t caught;
static _Atomic uint64_t caught_ms;
/** Counts what was caught, so it stays readable. */
static int event_fd = -1;

static void handle(int number)
{
	int errnum = errno;

	if (!caught) {
		caught_ms = monotonic_ms();
		caught = number;
		eventfd_write(event_fd, 1);
	} else if (monotonic_ms() - caught_ms >= SAME_MS) {
		signal(number, SIG_DFL);
		raise(number);
	}
	errno = errnum;
}

static void create_event(void)
{
	if (event_fd < 0)
		event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void interrupt_catch(void)
{
	struct sigaction action = {
		.sa_handler = handle,
		.sa_flags = SA_RESTART,
	};

	create_event();
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGINT);
	sigaddset(&action.sa_mask, SIGTERM);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

void interrupt_release(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (caught)
		raise(caught);
}

struct error *interrupt_check(void)
{
	if (!caught)
		return NULL;
	return error_create(ERROR_CANCELLED, "%s",
			    caught == SIGINT ? "interrupted" : "terminated");
}

int interrupt_fd(void)
{
	create_event();
	return event_fd;
}

struct error *interrupt_sleep(uint64_t duration_ms)
{
	struct pollfd poll_fd = { interrupt_fd(), POLLIN, 0 };
	const struct timespec duration = {
		.tv_sec = (time_t)(duration_ms / 1000),
		.tv_nsec = (long)(duration_ms % 1000) * 1000000,
	};

	if (ppoll(&poll_fd, 1, &duration, NULL) < 0 && errno != EINTR)
		return error_create_os(errno, "poll");
	return interrupt_check();
}
