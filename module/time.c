// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Timers that stay pending, and a time.
 */
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>

#include "compat/timer.h"
#include "drgn_test.h"

/* Long enough to fire in no test, and to be armed again if it does. */
#define DELAY_SECONDS (24 * 60 * 60)

struct timer_list drgn_test_timer;
struct hrtimer drgn_test_hrtimer;

ktime_t drgn_test_ktime;
s64 drgn_test_ktime_ns;

static bool timers_started;

static void drgn_test_timer_fn(struct timer_list *timer)
{
	mod_timer(&drgn_test_timer, jiffies + DELAY_SECONDS * HZ);
}

static enum hrtimer_restart drgn_test_hrtimer_fn(struct hrtimer *timer)
{
	hrtimer_forward_now(timer, ktime_set(DELAY_SECONDS, 0));
	return HRTIMER_RESTART;
}

int drgn_test_time_init(void)
{
	timer_setup(&drgn_test_timer, drgn_test_timer_fn, 0);
	mod_timer(&drgn_test_timer, jiffies + DELAY_SECONDS * HZ);

	hrtimer_setup(&drgn_test_hrtimer, drgn_test_hrtimer_fn, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL);
	hrtimer_start(&drgn_test_hrtimer, ktime_set(DELAY_SECONDS, 0),
		      HRTIMER_MODE_REL);
	timers_started = true;

	drgn_test_ktime = ktime_get_real();
	drgn_test_ktime_ns = ktime_to_ns(drgn_test_ktime);
	return 0;
}

void drgn_test_time_exit(void)
{
	if (!timers_started)
		return;
	hrtimer_cancel(&drgn_test_hrtimer);
	timer_delete_sync(&drgn_test_timer);
}
