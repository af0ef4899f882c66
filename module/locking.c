// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mutexes and semaphores, held by a thread that sleeps.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>

#include "drgn_test.h"
#include "poll.h"

/* Holds the locks; and the one that waits for it. */
struct task_struct *drgn_test_locking_kthread;
struct task_struct *drgn_test_locking_kthread2;

DEFINE_MUTEX(drgn_test_mutex_locked);
DEFINE_MUTEX(drgn_test_mutex_unlocked);

DECLARE_RWSEM(drgn_test_rwsem_read_locked);
DECLARE_RWSEM(drgn_test_rwsem_write_locked);
DECLARE_RWSEM(drgn_test_rwsem_previously_read_locked);
DECLARE_RWSEM(drgn_test_rwsem_previously_write_locked);
DECLARE_RWSEM(drgn_test_rwsem_never_locked);
DECLARE_RWSEM(drgn_test_rwsem_writer_waiting);

static DECLARE_COMPLETION(locked);

/* Takes the locks itself: what the tests look at is the owner. */
static int hold_locks(void *data)
{
	mutex_lock(&drgn_test_mutex_locked);
	down_read(&drgn_test_rwsem_read_locked);
	down_write(&drgn_test_rwsem_write_locked);

	down_read(&drgn_test_rwsem_previously_read_locked);
	up_read(&drgn_test_rwsem_previously_read_locked);
	down_write(&drgn_test_rwsem_previously_write_locked);
	up_write(&drgn_test_rwsem_previously_write_locked);

	down_read(&drgn_test_rwsem_writer_waiting);

	complete(&locked);
	drgn_test_wait_for_stop();

	up_read(&drgn_test_rwsem_writer_waiting);
	up_write(&drgn_test_rwsem_write_locked);
	up_read(&drgn_test_rwsem_read_locked);
	mutex_unlock(&drgn_test_mutex_locked);
	return 0;
}

static int wait_for_lock(void *data)
{
	/* Killable, so that the hung task detector looks the other way. */
	if (!down_write_killable(&drgn_test_rwsem_writer_waiting))
		up_write(&drgn_test_rwsem_writer_waiting);
	drgn_test_wait_for_stop();
	return 0;
}

int drgn_test_locking_init(void)
{
	struct task_struct *task;
	int err;

	task = kthread_run(hold_locks, NULL, "drgn_test_lock");
	if (IS_ERR(task))
		return PTR_ERR(task);
	drgn_test_locking_kthread = task;
	wait_for_completion(&locked);
	err = drgn_test_poll(drgn_test_task_blocked(task));
	if (err)
		return err;

	task = kthread_run(wait_for_lock, NULL, "drgn_test_lock2");
	if (IS_ERR(task))
		return PTR_ERR(task);
	drgn_test_locking_kthread2 = task;
	return drgn_test_poll(
		drgn_test_task_blocked(task) &&
		rwsem_is_contended(&drgn_test_rwsem_writer_waiting));
}

void drgn_test_locking_exit(void)
{
	/* In this order: the second does not stop without the lock. */
	drgn_test_stop_kthread(&drgn_test_locking_kthread);
	drgn_test_stop_kthread(&drgn_test_locking_kthread2);
}
