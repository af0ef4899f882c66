// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_EVIDENCE_H
#define VM_GUEST_EVIDENCE_H

/**
 * @file
 *
 * What is found out of a guest that did not end well: its memory is written
 * while QEMU has it, to be kept if --dump says so; and drgn, if it is there,
 * says of it who waits for what. Without anything to find out, nothing is done.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "vm/guest/guest.h"

struct console;
struct error;
struct lifecycle;
struct monitor;

struct evidence {
	/** Where the memory is; gone with this, unless it is kept. */
	char *directory;
	int lock_fd;
	/** It is there, as a whole. */
	bool is_whole;
	/** --dump asks for it. */
	bool is_asked;
	/** drgn is to say something of it. */
	bool is_examined;
	char qemu[32];
};

#define EVIDENCE_INIT                                                          \
	{                                                                      \
		.lock_fd = -1                                                  \
	}

void evidence_deinit(struct evidence *evidence);

#define _cleanup_evidence_ _cleanup_(evidence_deinit)

/** The words of --dump, ended by NULL. */
extern const char *const evidence_words[];

/** Whether these words mean a run that ends so. */
bool evidence_is_asked(const struct string_list *words,
		       enum run_outcome outcome, bool has_splats);

/**
 * Write the guest's memory, if there is a reason to; once. Blocks, while the
 * guest stands still. What keeps it from working is warned of if it was asked
 * for.
 *
 * @param[in] lifecycle Is at its end; or the guest has ended, and QEMU has not.
 * @return ERROR_CANCELLED (interrupt.h).
 */
_must_check_ struct error *evidence_take(struct evidence *evidence,
					 const struct guest_config *config,
					 const struct lifecycle *lifecycle,
					 const struct console *console,
					 struct monitor *monitor);

/** Have drgn look at it: the result's report. Blocks for some seconds. */
void evidence_examine(const struct evidence *evidence,
		      const struct guest_config *config,
		      struct run_result *result);

/** Keep what was asked for: the result's dump. A failure is warned of. */
void evidence_keep(struct evidence *evidence, const struct guest_config *config,
		   struct run_result *result);

#endif /* VM_GUEST_EVIDENCE_H */
