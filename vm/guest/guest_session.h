// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_GUEST_SESSION_H
#define VM_GUEST_GUEST_SESSION_H

/**
 * @file
 *
 * One QEMU and the guest in it, from its start to its end. What init.sh and we
 * say to each other is described there. For guest*.c only.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/string_builder.h"
#include "vm/guest/console.h"
#include "vm/guest/guest.h"
#include "vm/guest/guest_link.h"
#include "vm/guest/guest_streams.h"
#include "vm/guest/relay.h"
#include "vm/guest/terminal.h"

struct error;
struct guest_extras;
struct process;
struct process_status;
struct progress;
struct qemu_options;
struct share_plan;

enum {
	/**
	 * For a boot. On a busy machine that takes seconds, or some ten where
	 * another architecture's firmware is emulated too.
	 */
	GUEST_KVM_BOOT_LIMIT_MS = 120000,
	GUEST_TCG_BOOT_LIMIT_MS = 300000,
	/** After the command's end, while its output stands still. */
	GUEST_DRAIN_LIMIT_MS = 30000,
};

enum guest_phase {
	PHASE_BOOT,
	PHASE_COMMAND,
	/** The kernel has panicked; a crash kernel is to take over. */
	PHASE_CRASH,
	/** The command has ended; its output may not have arrived yet. */
	PHASE_DRAIN,
	PHASE_DONE,
	/** The command had its time, and the kernel is listing its tasks. */
	PHASE_DUMP,
};

struct guest_session {
	const struct guest_config *config;
	const struct guest_extras *extras;
	const struct share_plan *shares;
	enum guest_phase phase;
	/** Monotonic, as all times here. */
	uint64_t start_ms;
	uint64_t boot_limit_ms;
	/** When the phase has lasted too long; 0 for never. */
	uint64_t deadline_ms;
	/** When the command has had its time, over all boots; 0 for never. */
	uint64_t command_deadline_ms;
	/** How often init.sh has begun. */
	unsigned int boots;
	/** While tasks are listed: when the kernel has been silent long enough. */
	uint64_t quiet_ms;
	/** The sysrq key that was pressed last. */
	char dump_key;
	/** While there is nothing of the command's to see; else NULL. */
	struct progress *progress;
	struct process *qemu;
	int interrupt_fd;
	struct guest_link link;
	/** What QEMU itself has printed. */
	struct string_builder output;
	struct console console;
	/** A line of the control port that is still arriving. */
	char line[512];
	size_t line_length;
	/** What the guest says that it could not do; NULL if it has not. */
	char *failure;
	struct relay control;
	struct guest_streams streams;
	struct terminal terminal;
	struct guest_result result;
};

/**
 * Boot a guest and wait for its end, however it comes.
 *
 * @param[in] options All but the descriptors, which are set.
 * @return As guest_run(); ERROR_NOT_FOUND if QEMU is not there or has no such
 * machine.
 */
_must_check_ struct error *guest_session_run(const struct guest_config *config,
					     const struct guest_extras *extras,
					     struct qemu_options *options,
					     struct guest_result *ret);

/** Begin a phase, with the time that it may take. */
void guest_session_enter_phase(struct guest_session *session,
			       enum guest_phase phase);

/** Queue what init.sh asks for first (guest_control.c, as the next). */
_must_check_ struct error *guest_session_send_setup(struct guest_session *session);

/** Take what init.sh has said, and do what follows from it. */
_must_check_ struct error *
guest_session_read_control(struct guest_session *session);

/** Take what has arrived of the console. */
void guest_session_read_console(struct guest_session *session);

/** Take what QEMU itself has printed. */
void guest_session_read_output(struct guest_session *session);

/**
 * Once the loop has ended: say how, in the session's result (guest_outcome.c).
 *
 * @param[in] ended Whether QEMU has ended by itself.
 */
_must_check_ struct error *guest_session_conclude(struct guest_session *session,
						  bool ended);

/** Complete the result with logs and splats, and hand it over. */
_must_check_ struct error *guest_session_take_result(struct guest_session *session,
						     struct guest_result *ret);

/** Show the kernel's last lines on stderr. */
void guest_session_print_tail(const struct guest_session *session);

#endif /* VM_GUEST_GUEST_SESSION_H */
