// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_RESULT_H
#define VM_GUEST_RESULT_H

/** @file What came out of one guest, in words. Touches nothing but memory. */

#include "common/base/cleanup.h"

struct console;
struct error;
struct machine;
struct process_status;
struct run_result;

/**
 * @param[in] machine Has ended, and was not cancelled.
 * @param[in] console Its splats go to the result.
 * @param[in] output What QEMU itself has printed.
 * @param[in] status How QEMU ended, if it did so by itself.
 * @param[in] what What the guest says that it could not do.
 * @param[out] ret All but its release and status.
 * @return Why the command was not run: ERROR_NOT_FOUND if QEMU lacks the machine.
 */
_must_check_ struct error *
result_compute(const struct machine *machine, struct console *console,
	       const struct console *output, const struct process_status *status,
	       const char *what, struct run_result *ret);

#endif /* VM_GUEST_RESULT_H */
