// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A thread with a known stack, and a function to look up.
 *
 * The tests want to see this file's name in traces and beside the function.
 * What they find here is exact: three adjacent frames, and in the innermost of
 * them four local variables and no more, where variables of blocks around the
 * blocking call count, too.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "../compat/stack_trace.h"
#include "../drgn_test.h"
#include "regs.h"

#define KTHREAD_DATA ((void *)0xb0ba000)

struct task_struct *drgn_test_kthread;
struct thread_info *drgn_test_kthread_info;
struct pt_regs drgn_test_kthread_pt_regs;

#ifdef CONFIG_STACKTRACE
unsigned long drgn_test_stack_entries[16];
unsigned int drgn_test_num_stack_entries;
#endif
#ifdef CONFIG_STACKDEPOT
depot_stack_handle_t drgn_test_stack_handle;
#endif

static DECLARE_COMPLETION(ready_to_park);

/*
 * A function of its own, since what saves a stack trace leaves out its caller
 * on some architectures and in older kernels. It may appear in the trace.
 */
static drgn_test_noipa void save_stack(void)
{
#ifdef CONFIG_STACKTRACE
	drgn_test_num_stack_entries =
		drgn_test_stack_trace_save(drgn_test_stack_entries,
					   ARRAY_SIZE(drgn_test_stack_entries));
#endif
#ifdef CONFIG_STACKDEPOT
	drgn_test_stack_handle =
		drgn_test_stack_depot_save(drgn_test_stack_entries,
					   drgn_test_num_stack_entries);
#endif
	barrier();
}

/* Neither first nor last: mapping symbols may share an address with those. */
drgn_test_noipa int drgn_test_function(int x)
{
	return x + 1;
}

/*
 * No variables here but the four, and none in the blocks around
 * kthread_parkme() either. The macros used declare theirs in blocks of their
 * own.
 */
static drgn_test_noipa int drgn_test_kthread_fn3(void)
{
	volatile int a, b, c;
	struct drgn_test_small_slab_object *slab_object;

	a = 1;
	b = 2;
	c = 3;
	slab_object = drgn_test_small_slab_objects[0];
	/* It could be anywhere from here on, so it must be on the stack. */
	barrier_data(&slab_object);

	save_stack();
	complete(&ready_to_park);

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		if (kthread_should_park()) {
			__set_current_state(TASK_RUNNING);
			/* The next call blocks, and its frame is this one. */
			capture_regs(&drgn_test_kthread_pt_regs);
			kthread_parkme();
		} else {
			schedule();
		}
	}
	__set_current_state(TASK_RUNNING);

	barrier_data(&slab_object);
	return a + b + c;
}

/* The barriers keep the calls from becoming jumps. */
static drgn_test_noipa int drgn_test_kthread_fn2(void)
{
	int ret = drgn_test_kthread_fn3();

	barrier();
	return ret;
}

static drgn_test_noipa int drgn_test_kthread_fn(void *data)
{
	int ret = drgn_test_kthread_fn2();

	barrier();
	return ret;
}

int drgn_test_stack_init(void)
{
	struct task_struct *task;
	int err;

	err = drgn_test_stack_depot_init();
	if (err)
		return err;

	poison_regs(&drgn_test_kthread_pt_regs);
	task = kthread_run(drgn_test_kthread_fn, KTHREAD_DATA,
			   "drgn_test_kthread");
	if (IS_ERR(task))
		return PTR_ERR(task);
	drgn_test_kthread = task;
	drgn_test_kthread_info = task_thread_info(task);

	/* Parked earlier, it would not be in the function above. */
	wait_for_completion(&ready_to_park);
	err = kthread_park(task);
	if (err)
		return err;

#ifdef CONFIG_STACKDEPOT
	/* As with stack_depot_disable=on. */
	if (!drgn_test_stack_handle)
		drgn_test_no_stackdepot();
#endif
	return 0;
}

void drgn_test_stack_exit(void)
{
	drgn_test_stop_kthread(&drgn_test_kthread);
}
