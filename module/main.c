// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loading and unloading, step by step.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "drgn_test.h"

/* For tests of loading itself. It has no file below /sys/module. */
static int fail_step = -1;
module_param(fail_step, int, 0);
MODULE_PARM_DESC(fail_step, "step to fail instead of, counting from 0");

/* In the order of loading; unloading goes backwards. */
static const struct {
	int (*init)(void);
	void (*exit)(void);
} steps[] = {
	{ drgn_test_constants_init },
	{ drgn_test_list_init },
	{ drgn_test_plist_init },
	{ drgn_test_rbtree_init },
	{ drgn_test_mm_init, drgn_test_mm_exit },
	{ drgn_test_mmzone_init, drgn_test_mmzone_exit },
	{ drgn_test_percpu_init, drgn_test_percpu_exit },
	{ drgn_test_slab_init, drgn_test_slab_exit },
	{ drgn_test_radix_tree_init, drgn_test_radix_tree_exit },
	{ drgn_test_xarray_init, drgn_test_xarray_exit },
	{ drgn_test_idr_init, drgn_test_idr_exit },
	{ drgn_test_maple_tree_init, drgn_test_maple_tree_exit },
	{ drgn_test_sbitmap_init, drgn_test_sbitmap_exit },
	{ drgn_test_net_init, drgn_test_net_exit },
	{ drgn_test_search_init, drgn_test_search_exit },
	{ drgn_test_time_init, drgn_test_time_exit },
	/* Its thread keeps a pointer to a slab object on its stack. */
	{ drgn_test_stack_init, drgn_test_stack_exit },
	{ drgn_test_locking_init, drgn_test_locking_exit },
	{ drgn_test_wait_init, drgn_test_wait_exit },
	{ drgn_test_block_init, drgn_test_block_exit },
	/* What its file triggers must be ready before there are files. */
	{ drgn_test_crash_init, drgn_test_crash_exit },
	{ drgn_test_sysfs_init, drgn_test_sysfs_exit },
};

/* What a thread does that only has to be there. */
void drgn_test_wait_for_stop(void)
{
	for (;;) {
		/* Idle rather than uninterruptible: it is no load. */
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
}

/* Wait until a thread has left the module's code, if it was started at all. */
void drgn_test_stop_kthread(struct task_struct **task)
{
	if (*task)
		kthread_stop(*task);
	*task = NULL;
}

/* Undo all steps up to one that may have failed half-way. */
static void undo(int last)
{
	int i;

	for (i = last; i >= 0; i--) {
		if (steps[i].exit)
			steps[i].exit();
	}
}

static int __init drgn_test_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		err = i == fail_step ? -ECANCELED : steps[i].init();
		if (err) {
			pr_err("cannot load: step %d: error %d\n", i, err);
			undo(i);
			return err;
		}
	}
	return 0;
}

static void __exit drgn_test_exit(void)
{
	undo(ARRAY_SIZE(steps) - 1);
}

module_init(drgn_test_init);
module_exit(drgn_test_exit);

MODULE_DESCRIPTION("Kernel data for the tests of a debugger");
MODULE_LICENSE("GPL");
