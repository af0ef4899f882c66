// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/interrupt.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/error.h"

enum {
	/** Later than what still is the first signal. */
	LATER_US = 600000,
};

static void expect_cancelled(struct error *err, const char *message)
{
	cr_assert(error_is(err, ERROR_CANCELLED));
	cr_expect_str_eq(error_message(err), message);
	error_destroy(err);
}

Test(interrupt, the_first_signal_is_told_to_all_that_ask)
{
	_cleanup_close_ int before = -1;
	_cleanup_close_ int after = -1;

	cr_assert_null(interrupt_open(&before));
	interrupt_catch();
	cr_assert_null(interrupt_check());
	struct pollfd fds[] = { { before, POLLIN, 0 }, { -1, POLLIN, 0 } };
	cr_expect_eq(poll(fds, 1, 0), 0);
	raise(SIGINT);
	cr_assert_null(interrupt_open(&after));
	fds[1].fd = after;
	cr_expect_eq(poll(fds, 2, 0), 2);
	expect_cancelled(interrupt_check(), "interrupted");
	uint64_t start_ms = monotonic_ms();
	expect_cancelled(interrupt_sleep(20000), "interrupted");
	cr_expect_lt(monotonic_ms() - start_ms, 10000);
}

/** As timeout(1) sends it. */
Test(interrupt, one_that_comes_twice_is_one)
{
	interrupt_catch();
	raise(SIGTERM);
	raise(SIGTERM);
	expect_cancelled(interrupt_check(), "terminated");
}

Test(interrupt, a_second_one_ends_the_process, .signal = SIGTERM)
{
	interrupt_catch();
	raise(SIGINT);
	usleep(LATER_US);
	raise(SIGTERM);
}

Test(interrupt, the_first_one_is_delivered, .signal = SIGINT)
{
	interrupt_catch();
	interrupt_deliver();
	raise(SIGINT);
	raise(SIGTERM);
	interrupt_deliver();
}

Test(interrupt, those_that_are_not_caught_are_not_seen)
{
	_cleanup_close_ int fd = -1;

	cr_assert_null(interrupt_open(&fd));
	cr_expect_eq(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0), 0);
	cr_expect_null(interrupt_check());
	cr_expect_null(interrupt_sleep(1));
}
