// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_RUN_RESULT_H
#define VM_GUEST_RUN_RESULT_H

/**
 * @file
 *
 * How one run ended, as `run --result FILE` writes it for other programs:
 *
 *     {
 *       "release": "6.12.117-vmtest1.1default",   null if there is no kernel
 *       "outcome": "exited",                      or timed_out, lost, not_run
 *       "status": 3,                              exit status of vmtest-vm
 *       "exit_status": 3,                         the command's, if it exited
 *       "reason": null,                           one line, if it did not
 *       "boot_ms": 1234,                          null if it did not boot
 *       "command_ms": 56,                         null if it did not boot
 *       "splats": ["WARNING: …"],                 what the kernel reported
 *       "splat_count": 1                          all, those not listed too
 *     }
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/string_list.h"
#include "common/kernel/release.h"

struct error;

enum run_outcome {
	RUN_EXITED,
	RUN_TIMED_OUT,
	/** The guest panicked, or QEMU died. */
	RUN_LOST,
	/** vmtest failed before the command ran. */
	RUN_NOT_RUN,
};

struct run_result {
	/** "" if there was no kernel. */
	char release[RELEASE_TEXT_SIZE];
	enum run_outcome outcome;
	/** What vmtest-vm exits with. */
	int status;
	/** The command's; only if it has exited. */
	int exit_status;
	/** NULL if it has exited. */
	char *reason;
	/** 0 if the guest did not boot. */
	uint64_t boot_ms;
	uint64_t command_ms;
	struct string_list splats;
	size_t splat_count;
};

void run_result_deinit(struct run_result *result);

#define _cleanup_run_result_ _cleanup_(run_result_deinit)

/** As JSON; free(). */
_must_check_ struct error *run_result_format(const struct run_result *result,
					     char **ret);

/**
 * Read what run_result_format() has written.
 *
 * @param[in] name For messages.
 */
_must_check_ struct error *run_result_parse(const char *text, const char *name,
					    struct run_result *ret);

#endif /* VM_GUEST_RUN_RESULT_H */
