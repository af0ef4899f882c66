/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the module share.
 *
 * The module lays out kernel data for a debugger's tests to find. The tests
 * know every object by name, so almost everything is global and nothing is
 * __init: a name that the tests use must have an address for as long as the
 * module is loaded.
 */
#ifndef DRGN_TEST_H
#define DRGN_TEST_H

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "compat.h"

/*
 * A step of loading the module, one for each topic.
 *
 * A step's exit function also runs when its init function failed half-way and
 * when it never ran, so it goes by what it finds in the topic's own objects.
 */
int drgn_test_block_init(void);
void drgn_test_block_exit(void);
int drgn_test_constants_init(void);
int drgn_test_crash_init(void);
void drgn_test_crash_exit(void);
int drgn_test_idr_init(void);
void drgn_test_idr_exit(void);
int drgn_test_list_init(void);
int drgn_test_locking_init(void);
void drgn_test_locking_exit(void);
int drgn_test_maple_tree_init(void);
void drgn_test_maple_tree_exit(void);
int drgn_test_mm_init(void);
void drgn_test_mm_exit(void);
int drgn_test_mmzone_init(void);
void drgn_test_mmzone_exit(void);
int drgn_test_net_init(void);
void drgn_test_net_exit(void);
int drgn_test_percpu_init(void);
void drgn_test_percpu_exit(void);
int drgn_test_plist_init(void);
int drgn_test_radix_tree_init(void);
void drgn_test_radix_tree_exit(void);
int drgn_test_rbtree_init(void);
int drgn_test_sbitmap_init(void);
void drgn_test_sbitmap_exit(void);
int drgn_test_search_init(void);
void drgn_test_search_exit(void);
int drgn_test_slab_init(void);
void drgn_test_slab_exit(void);
int drgn_test_stack_init(void);
void drgn_test_stack_exit(void);
int drgn_test_sysfs_init(void);
void drgn_test_sysfs_exit(void);
int drgn_test_time_init(void);
void drgn_test_time_exit(void);
int drgn_test_wait_init(void);
void drgn_test_wait_exit(void);
int drgn_test_xarray_init(void);
void drgn_test_xarray_exit(void);

/* crash.c, for the folder in sysfs.c */
extern struct kobj_attribute drgn_test_crash_attribute;

/* main.c */
void drgn_test_wait_for_stop(void);
void drgn_test_stop_kthread(struct task_struct **task);

/* mm.c, for mmzone.c */
extern unsigned long drgn_test_pfn;

/* slab.c; the thread in stack/ keeps a pointer to the first object */
struct drgn_test_small_slab_object {
	int padding[11];
	int value;
};

extern struct drgn_test_small_slab_object *drgn_test_small_slab_objects[5];

/* stack/drgn_test.c */
int drgn_test_function(int x);

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

#endif /* DRGN_TEST_H */
