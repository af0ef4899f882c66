/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stack traces, and the depot of them.
 */
#ifndef DRGN_TEST_COMPAT_STACK_TRACE_H
#define DRGN_TEST_COMPAT_STACK_TRACE_H

#include <linux/stackdepot.h>
#include <linux/stacktrace.h>

#include "../compat.h"

#ifdef CONFIG_STACKTRACE
/*
 * Linux commit e9b98e162aa5 ("stacktrace: Provide helpers for common stack
 * trace operations") (in v5.2). The old interface ends some traces with a
 * marker.
 */
static __always_inline unsigned int
drgn_test_stack_trace_save(unsigned long *entries, unsigned int size)
{
#if KERNEL_BEFORE(5, 2)
	struct stack_trace trace = {
		.entries = entries,
		.max_entries = size,
	};

	save_stack_trace(&trace);
	if (trace.nr_entries && entries[trace.nr_entries - 1] == ULONG_MAX)
		trace.nr_entries--;
	return trace.nr_entries;
#else
	return stack_trace_save(entries, size, 0);
#endif
}
#endif /* CONFIG_STACKTRACE */

#ifdef CONFIG_STACKDEPOT
/*
 * Linux commit c0cfc337264c ("lib/stackdepot: Provide functions which operate
 * on plain storage arrays") (in v5.2).
 */
static inline depot_stack_handle_t
drgn_test_stack_depot_save(unsigned long *entries, unsigned int count)
{
#if KERNEL_BEFORE(5, 2)
	struct stack_trace trace = {
		.entries = entries,
		.nr_entries = count,
		.max_entries = count,
	};

	return depot_save_stack(&trace, GFP_KERNEL);
#else
	return stack_depot_save(entries, count, GFP_KERNEL);
#endif
}
#endif /* CONFIG_STACKDEPOT */

/*
 * Linux commit 2dba5eb1c73b ("lib/stackdepot: allow optional init and
 * stack_table allocation by kvmalloc()") (in v5.17). Before, it is ready after
 * boot.
 */
static inline int drgn_test_stack_depot_init(void)
{
#if defined(CONFIG_STACKDEPOT) && !KERNEL_BEFORE(5, 17)
	return stack_depot_init();
#else
	return 0;
#endif
}

#endif /* DRGN_TEST_COMPAT_STACK_TRACE_H */
