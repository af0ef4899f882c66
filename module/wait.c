// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wait queues, simple wait queues, completions; empty, and with a thread on
 * them.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/swait.h>
#include <linux/wait.h>

#include "compat/wait.h"
#include "drgn_test.h"
#include "poll.h"

DECLARE_WAIT_QUEUE_HEAD(drgn_test_waitq);
struct task_struct *drgn_test_waitq_kthread;
DECLARE_WAIT_QUEUE_HEAD(drgn_test_empty_waitq);

/* The queue is not the first member, so that its offset shows. */
struct drgn_test_waitq_container_struct {
	int x;
	wait_queue_head_t waitq;
};

struct drgn_test_waitq_container_struct drgn_test_waitq_container;

DECLARE_SWAIT_QUEUE_HEAD(drgn_test_swaitq);
struct task_struct *drgn_test_swaitq_kthread;
DECLARE_SWAIT_QUEUE_HEAD(drgn_test_empty_swaitq);

DECLARE_COMPLETION(drgn_test_completion);
struct task_struct *drgn_test_completion_kthread;
DECLARE_COMPLETION(drgn_test_done_completion);

/*
 * Interruptible, though nothing interrupts them: other sleepers count as load
 * and are reported as hung.
 */
static int wait_on_waitq(void *data)
{
	wait_event_interruptible(drgn_test_waitq, kthread_should_stop());
	return 0;
}

static int wait_on_swaitq(void *data)
{
	swait_event_interruptible_exclusive(drgn_test_swaitq,
					    kthread_should_stop());
	return 0;
}

static int wait_on_completion(void *data)
{
	wait_for_completion_interruptible(&drgn_test_completion);
	/* It must still be there for whoever stops it. */
	drgn_test_wait_for_stop();
	return 0;
}

static int init_waitq(void)
{
	struct task_struct *task;

	init_waitqueue_head(&drgn_test_waitq_container.waitq);

	task = kthread_run(wait_on_waitq, NULL, "drgn_test_waitq");
	if (IS_ERR(task))
		return PTR_ERR(task);
	drgn_test_waitq_kthread = task;
	/* Looks again and again, so needs no barrier. */
	return drgn_test_poll(waitqueue_active(&drgn_test_waitq) &&
			      drgn_test_task_blocked(task));
}

static int init_swaitq(void)
{
	struct task_struct *task;

	task = kthread_run(wait_on_swaitq, NULL, "drgn_test_swaitq");
	if (IS_ERR(task))
		return PTR_ERR(task);
	drgn_test_swaitq_kthread = task;
	return drgn_test_poll(swait_active(&drgn_test_swaitq) &&
			      drgn_test_task_blocked(task));
}

static int init_completion_thread(void)
{
	struct task_struct *task;

	complete(&drgn_test_done_completion);

	task = kthread_run(wait_on_completion, NULL, "drgn_test_compl");
	if (IS_ERR(task))
		return PTR_ERR(task);
	drgn_test_completion_kthread = task;
	return drgn_test_poll(
		drgn_test_task_blocked(task) &&
		drgn_test_completion_active(&drgn_test_completion));
}

int drgn_test_wait_init(void)
{
	int err;

	err = init_waitq();
	if (err)
		return err;
	err = init_swaitq();
	if (err)
		return err;
	return init_completion_thread();
}

void drgn_test_wait_exit(void)
{
	/* Being stopped does not end this wait, unlike the other two. */
	complete(&drgn_test_completion);
	drgn_test_stop_kthread(&drgn_test_completion_kthread);
	drgn_test_stop_kthread(&drgn_test_swaitq_kthread);
	drgn_test_stop_kthread(&drgn_test_waitq_kthread);
}
