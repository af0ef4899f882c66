// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/phase.h"

#include <criterion/criterion.h>
#include <poll.h>

Test(phase, time_goes_to_the_phase_that_is_on)
{
	struct phase_clock clock = { 0 };

	phase_clock_stop(&clock);
	phase_clock_enter(&clock, PHASE_CONFIG);
	poll(NULL, 0, 30);
	phase_clock_enter(&clock, PHASE_BUILD);
	phase_clock_enter(&clock, PHASE_CONFIG);
	poll(NULL, 0, 30);
	phase_clock_stop(&clock);
	poll(NULL, 0, 30);
	phase_clock_stop(&clock);
	cr_expect_eq(clock.current, PHASE_CONFIG);
	cr_expect_geq(clock.duration_ms[PHASE_CONFIG], 58);
	cr_expect_lt(clock.duration_ms[PHASE_BUILD], 28);
	cr_expect_eq(clock.duration_ms[PHASE_SOURCE], 0);
	phase_clock_enter(NULL, PHASE_BOOT);
}
