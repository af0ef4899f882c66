/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting until a thread has arrived where it is to be.
 */
#ifndef DRGN_TEST_POLL_H
#define DRGN_TEST_POLL_H

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/sched.h>

/*
 * Wait until @cond holds, 10 seconds at most. Threads must have arrived where
 * the tests look for them when the module's init function returns, and waking
 * one says nothing about when it gets there.
 */
#define drgn_test_poll(cond)						\
({									\
	unsigned long __deadline = jiffies + 10 * HZ;			\
	int __err = 0;							\
									\
	while (!(cond)) {						\
		if (time_after(jiffies, __deadline)) {			\
			__err = -ETIMEDOUT;				\
			break;						\
		}							\
		usleep_range(500, 1000);				\
	}								\
	__err;								\
})

/*
 * Whether a thread sleeps: being on a wait queue is not enough, since a thread
 * queues itself first and calls the scheduler afterwards.
 */
static inline bool drgn_test_task_blocked(struct task_struct *task)
{
#ifdef CONFIG_SMP
	if (READ_ONCE(task->on_cpu))
		return false;
#endif
	return !READ_ONCE(task->on_rq);
}

#endif /* DRGN_TEST_POLL_H */
