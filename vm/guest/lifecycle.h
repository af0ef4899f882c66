// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_LIFECYCLE_H
#define VM_GUEST_LIFECYCLE_H

/**
 * @file
 *
 * What becomes of one guest: what happens, and when, decides what is to be
 * done. Touches nothing and reads no clock: times are the caller's, in
 * milliseconds of a monotonic one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vm/guest/run_result.h"

enum {
	/**
	 * For a boot. On a busy machine that takes seconds, or some ten where
	 * another architecture's firmware is emulated too.
	 */
	LIFECYCLE_KVM_BOOT_MS = 120000,
	LIFECYCLE_TCG_BOOT_MS = 300000,
	/** After the command's end, while its output stands still. */
	LIFECYCLE_DRAIN_MS = 30000,
	/** For the list of tasks: in all, and after the kernel's last byte. */
	LIFECYCLE_DUMP_MS = 5000,
	LIFECYCLE_QUIET_MS = 400,
	/** For QEMU to end in an orderly way. */
	LIFECYCLE_QUIT_MS = 5000,
	/** How many kernels a guest may run: the first, and a crash kernel. */
	LIFECYCLE_KERNEL_LIMIT = 2,
};

enum lifecycle_state {
	/** Until init.sh starts the command. */
	LIFECYCLE_BOOT,
	LIFECYCLE_COMMAND,
	/** The kernel has panicked; a crash kernel is to take over. */
	LIFECYCLE_CRASH,
	/** The command has ended; its output may not have arrived yet. */
	LIFECYCLE_DRAIN,
	/** The command had its time, and the kernel is listing its tasks. */
	LIFECYCLE_DUMP,
	/** All is decided; the output that has arrived is handed on. */
	LIFECYCLE_FLUSH,
	/** QEMU is asked to end. */
	LIFECYCLE_QUIT,
	/** QEMU is killed, if it runs. */
	LIFECYCLE_ENDED,
};

enum lifecycle_event {
	/** What init.sh says (protocol.h). */
	EVENT_HELLO,
	EVENT_READY,
	EVENT_EXIT,
	EVENT_DONE,
	EVENT_FAIL,
	EVENT_NONSENSE,
	/** The console said something; there has been a panic. */
	EVENT_CONSOLE,
	EVENT_PANIC,
	/** The command's output moves, or waits for its reader. */
	EVENT_OUTPUT,
	/** It has no reader any more. */
	EVENT_UNREAD,
	/** In LIFECYCLE_FLUSH: all has been handed on. */
	EVENT_FLUSHED,
	/** QEMU has ended; with an error, and nothing on the console. */
	EVENT_QEMU_ENDED,
	EVENT_QEMU_FAILED,
	/** The user, a signal to us, or an error of ours ends it. */
	EVENT_CANCELLED,
	/** Time passes. Needed at the deadline, harmless before. */
	EVENT_TIME,
};

enum lifecycle_action {
	ACTION_NONE,
	/** A crash kernel asks what to do: tell it what the first was told. */
	ACTION_TAKE_OVER,
	/** Press sysrq-7, for all messages, or sysrq-t, for the list of tasks. */
	ACTION_SHOW_MESSAGES,
	ACTION_LIST_TASKS,
	/** Take the output that has arrived, and none that is to come. */
	ACTION_COLLECT,
	/** Ask QEMU to end. */
	ACTION_TERMINATE,
};

enum lifecycle_cause {
	CAUSE_NONE,
	/** Of RUN_LOST: QEMU ended by itself. */
	CAUSE_END,
	CAUSE_END_IN_BOOT,
	/** The boot, of a crash kernel too, took too long. */
	CAUSE_BOOT,
	/** The command has ended, but the guest does not finish. */
	CAUSE_DRAIN,
	/** One more kernel took over. */
	CAUSE_RESTART,
	/** Of RUN_NOT_RUN: the guest says so. */
	CAUSE_GUEST,
	/** QEMU did not start. */
	CAUSE_QEMU,
	CAUSE_CANCELLED,
};

/** All but the first four are the machine's to change. */
struct lifecycle {
	uint64_t boot_limit_ms;
	/** From when the command starts first, over all boots; 0 for no limit. */
	uint64_t timeout_ms;
	/** A crash kernel takes over from one that panics. */
	bool kdump;
	/** QEMU may have something to write when it ends. */
	bool may_write;
	enum lifecycle_state state;
	/** When EVENT_TIME is due; 0 for never. */
	uint64_t deadline_ms;
	uint64_t start_ms;
	/** When the command has had its time; 0 for never. */
	uint64_t command_deadline_ms;
	/** When the list of tasks has had its time. */
	uint64_t dump_deadline_ms;
	bool lists_tasks;
	bool qemu_ended;
	unsigned int kernels;
	/** The result, from LIFECYCLE_FLUSH on; as in run_result.h. */
	enum run_outcome outcome;
	enum lifecycle_cause cause;
	int exit_status;
	uint64_t boot_ms;
	uint64_t command_ms;
};

/** QEMU starts. The first four members are set, the others are zero. */
void lifecycle_start(struct lifecycle *machine, uint64_t now_ms);

/**
 * @param[in] status Of EVENT_EXIT.
 * @return What is to be done now.
 */
enum lifecycle_action lifecycle_step(struct lifecycle *machine,
				     enum lifecycle_event event, int status,
				     uint64_t now_ms);

#endif /* VM_GUEST_LIFECYCLE_H */
