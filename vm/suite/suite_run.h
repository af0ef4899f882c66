// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_SUITE_RUN_H
#define VM_SUITE_SUITE_RUN_H

/**
 * @file
 *
 * Run a suite: each guest is a `vmtest-vm run`, each download a `vmtest-vm
 * download`, each module a `vmtest-vm module`, started, watched and ended from
 * here. Kernels are downloaded one at a time, in order, while those that are
 * there are tested.
 */

#include <stddef.h>

#include "common/base/cleanup.h"

struct error;
struct string_list;
struct suite;
struct suite_item;

/** Who wants to know how it goes on. */
struct suite_observer {
	/** A kernel has come into another state. */
	void (*changed)(struct suite_observer *observer,
			const struct suite_item *item);
};

struct suite_run_options {
	/** Path of vmtest-vm. */
	const char *program;
	/** Options of `download`, of `module`, and of `run`. */
	const struct string_list *download_options;
	const struct string_list *module_options;
	const struct string_list *run_options;
	/** Ended by NULL. */
	char *const *command;
	/**
	 * For each kernel NAME.log, what the command has printed; and
	 * NAME.console.log and NAME.json, of `run`. A second attempt's are
	 * called NAME.2.log and so on. Must exist.
	 */
	const char *log_directory;
	/** Guests at once. */
	unsigned int jobs;
};

/**
 * Bring items to an end. Blocks. Whatever happens to a kernel is noted in its
 * item and does not keep the others from being tested.
 *
 * @return Only what ends the whole run. Of what it had started nothing is left
 * then; ERROR_CANCELLED if a signal arrived: the rest is interrupted.
 */
_must_check_ struct error *suite_run(const struct suite_run_options *options,
				     const struct suite *suite,
				     struct suite_observer *observer);

#endif /* VM_SUITE_SUITE_RUN_H */
