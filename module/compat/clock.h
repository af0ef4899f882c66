/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks.
 */
#ifndef DRGN_TEST_COMPAT_CLOCK_H
#define DRGN_TEST_COMPAT_CLOCK_H

#include <linux/ktime.h>
#include <linux/timekeeping.h>

#include "../compat.h"

/*
 * Linux commit 06aa376903b6 ("timekeeping: Add more coarse clocktai/boottime
 * interfaces") (in v4.18). Both clocks are the monotonic one and an offset.
 */
#if KERNEL_BEFORE(4, 18)
static inline ktime_t ktime_get_coarse_boottime(void)
{
	return ktime_mono_to_any(timespec64_to_ktime(get_monotonic_coarse64()),
				 TK_OFFS_BOOT);
}

static inline ktime_t ktime_get_coarse_clocktai(void)
{
	return ktime_mono_to_any(timespec64_to_ktime(get_monotonic_coarse64()),
				 TK_OFFS_TAI);
}
#endif

#endif /* DRGN_TEST_COMPAT_CLOCK_H */
