// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_QEMU_MONITOR_H
#define VM_QEMU_MONITOR_H

/**
 * @file
 *
 * QEMU's monitor, by its protocol QMP: has it keep a guest that ends, so that
 * there is something to look at, and write the guest's memory. A QEMU that
 * does not answer, or lacks a command, is one as without a monitor.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

struct error;

/** @param[in] err What QEMU has refused; NULL if it is done. Consumed. */
typedef void monitor_answer(void *arg, struct error *err);

struct monitor {
	/** Of qemu_link; -1 once it has ended. */
	int fd;
	/** What has arrived of a line. */
	struct string_builder line;
	/** `7.2.22`; "" until QEMU says so. */
	char version[32];
	unsigned int last_id;
	/** Of monitor_ask(); the first was sent. */
	struct monitor_queue {
		struct monitor_command *items;
		size_t count;
	} queue;
	/** The guest has ended, and QEMU waits for monitor_quit(). */
	bool is_halted;
};

/** Begin to talk. From here on, QEMU does not end with the guest. */
void monitor_start(struct monitor *monitor, int fd);
void monitor_deinit(struct monitor *monitor);

#define _cleanup_monitor_ _cleanup_(monitor_deinit)

/** Read what has arrived. @return Whether there was something. */
bool monitor_read(struct monitor *monitor);

/** Ask QEMU to end. */
void monitor_quit(struct monitor *monitor);

/** Have a guest go on that was stopped, as by monitor_dump(). */
void monitor_continue(struct monitor *monitor);

/**
 * Have a command executed, after those that were asked for before: QEMU keeps one
 * descriptor for what comes next. What waits when QEMU ends is not answered.
 *
 * @param[in] arguments Members of a JSON object.
 * @param[in] fd Sent with it, for getfd, and then closed; -1 for none.
 * @param[in] answer Called once, by monitor_read(); NULL if it does not matter.
 */
void monitor_ask(struct monitor *monitor, const char *command,
		 const char *arguments, int fd, monitor_answer *answer,
		 void *arg);

/**
 * Stop the guest, and write its memory as makedumpfile does, compressed by
 * zlib, or, where this QEMU cannot, as ELF.
 *
 * @param[in] fd A file, which QEMU writes to.
 * @param[in] takes_elf Whether ELF, as large as the memory, will do.
 * @param[in] deadline_ms Monotonic; 0 for never.
 * @param[out] is_flat_ret Whether it is a stream of makedumpfile's, which
 * dump_unflatten() makes a file of.
 * @return ERROR_CANCELLED (interrupt.h).
 */
_must_check_ struct error *monitor_dump(struct monitor *monitor, int fd,
					bool takes_elf, uint64_t deadline_ms,
					bool *is_flat_ret);

#endif /* VM_QEMU_MONITOR_H */
