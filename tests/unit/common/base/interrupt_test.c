// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/interrupt.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/system.h"

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
	struct pollfd poll_fd = { interrupt_fd(), POLLIN, 0 };

	interrupt_catch();
	cr_assert_null(interrupt_check());
	cr_expect_eq(poll(&poll_fd, 1, 0), 0);
	raise(SIGINT);
	cr_expect_eq(poll(&poll_fd, 1, 0), 1);
	cr_expect_eq(interrupt_fd(), poll_fd.fd);
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
	raise(SIGINT);
	raise(SIGTERM);
	interrupt_release();
}

Test(interrupt, those_that_are_not_caught_are_not_seen)
{
	cr_expect_eq(poll(&(struct pollfd){ interrupt_fd(), POLLIN, 0 }, 1, 0),
		     0);
	cr_expect_null(interrupt_check());
	cr_expect_null(interrupt_sleep(1));
}
