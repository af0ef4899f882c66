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

/* bug.h is for ARRAY_SIZE() of old kernels. */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include "compat.h"

struct kobj_attribute;
struct task_struct;

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

/* constants.c: the kernel has it, but it keeps nothing. Until init returns. */
void drgn_test_no_stackdepot(void);

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

#endif /* DRGN_TEST_H */
