/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers.
 */
#ifndef DRGN_TEST_COMPAT_TIMER_H
#define DRGN_TEST_COMPAT_TIMER_H

#include <linux/hrtimer.h>
#include <linux/timer.h>

#include "../compat.h"

/*
 * Linux commits 686fef928bba ("timer: Prepare to change timer callback
 * argument type") (in v4.14), c1eba5bcb643 ("timer: Pass timer_list pointer to
 * callbacks unconditionally") (in v4.15). It is all the same to the machine:
 * one argument, the timer's address.
 */
#if KERNEL_BEFORE(4, 15)
#undef timer_setup
#define timer_setup(timer, function, flags)				\
	setup_timer(timer, (void (*)(unsigned long))(function),	\
		    (unsigned long)(timer))
#endif

/*
 * Linux commit 9b13df3fb64e ("timers: Rename del_timer_sync() to
 * timer_delete_sync()") (in v6.2).
 */
#if KERNEL_BEFORE(6, 2)
#define timer_delete_sync(timer) del_timer_sync(timer)
#endif

/*
 * Linux commit 908a1d775422 ("hrtimers: Introduce hrtimer_setup() to replace
 * hrtimer_init()") (in v6.13).
 */
#if KERNEL_BEFORE(6, 13)
#define hrtimer_setup(timer, callback, clock, mode)			\
do {									\
	hrtimer_init(timer, clock, mode);				\
	(timer)->function = (callback);					\
} while (0)
#endif

#endif /* DRGN_TEST_COMPAT_TIMER_H */
