// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_SUITE_WORKER_H
#define VM_SUITE_SUITE_WORKER_H

/**
 * @file
 *
 * A child that works on a kernel: one that downloads it, builds its module, or
 * runs its guest.
 */

#include "common/base/cleanup.h"

struct error;
struct process;
struct suite_item;
struct suite_run_options;

struct suite_worker {
	/** NULL while there is nothing to do. */
	struct process *process;
	struct suite_item *item;
	/** What a download or a module prints, in memory. */
	int output_fd;
	/** What a run writes. */
	char *result_path;
};

#define SUITE_WORKER_INIT                                                      \
	{                                                                      \
		.output_fd = -1                                                \
	}

/** End the child, if there is one still. */
void suite_worker_reset(struct suite_worker *worker);

/**
 * Start what comes next for a kernel that is waiting, which then has another
 * state.
 *
 * @param[in] options Borrowed for the call, the item until the worker is reset.
 */
_must_check_ struct error *
suite_worker_start(struct suite_worker *worker,
		   const struct suite_run_options *options,
		   struct suite_item *item);

/**
 * Bring a child that has ended to account: its kernel comes into the state,
 * with the reason, that follow from its status and what it has left.
 */
_must_check_ struct error *suite_worker_finish(struct suite_worker *worker);

#endif /* VM_SUITE_SUITE_WORKER_H */
