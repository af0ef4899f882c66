/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting.
 */
#ifndef DRGN_TEST_COMPAT_WAIT_H
#define DRGN_TEST_COMPAT_WAIT_H

#include <linux/completion.h>
#include <linux/swait.h>
#include <linux/wait.h>

#include "../compat.h"

/*
 * Linux commit b3dae109fa89 ("sched/swait: Rename to exclusive") (in v4.19).
 */
#ifndef swait_event_interruptible_exclusive
#define swait_event_interruptible_exclusive swait_event_interruptible
#endif

/*
 * Whether someone waits; a caller that looks again and again needs no barrier.
 *
 * Linux commit a5c6234e1028 ("completion: Use simple wait queues") (in v5.7).
 */
static inline bool drgn_test_completion_active(struct completion *completion)
{
#if KERNEL_BEFORE(5, 7)
	return waitqueue_active(&completion->wait);
#else
	return swait_active(&completion->wait);
#endif
}

#endif /* DRGN_TEST_COMPAT_WAIT_H */
