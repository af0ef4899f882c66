// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_SUITE_OUTCOME_H
#define VM_SUITE_SUITE_OUTCOME_H

/**
 * @file
 *
 * What becomes of a kernel when a child that worked on it has ended: its item's
 * next state, with the reason, from the child's status and what it has left.
 */

#include "common/base/cleanup.h"

struct error;
struct process_status;
struct suite_item;

/** @param[in] output_fd Where `download --json` has written. */
_must_check_ struct error *
suite_outcome_of_download(struct suite_item *item,
			  const struct process_status *status, int output_fd);

_must_check_ struct error *
suite_outcome_of_module(struct suite_item *item,
			const struct process_status *status);

/** @param[in] result_path Where `run --result` has written, if it got so far. */
_must_check_ struct error *suite_outcome_of_run(struct suite_item *item,
						const struct process_status *status,
						const char *result_path);

#endif /* VM_SUITE_SUITE_OUTCOME_H */
