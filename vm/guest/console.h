// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_CONSOLE_H
#define VM_GUEST_CONSOLE_H

/**
 * @file
 *
 * What the guest's kernel says: kept in memory, the newest part of it, and read
 * for panics and splats as it arrives. Touches nothing but memory. A guest can
 * write to its console: what comes out of this is plain text (text.h).
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"

enum {
	/** The log is cut down to this many bytes when it is twice as long. */
	CONSOLE_KEEP_BYTES = 1 << 20,
	/** Splats beyond these are only counted. */
	CONSOLE_SPLAT_LIMIT = 32,
	/** How much of a log people are shown. */
	CONSOLE_TAIL_LINES = 30,
};

struct console {
	struct string_builder log;
	/** Where in it the line that is still arriving begins. */
	size_t line;
	/** Where the kernel that runs now begins. */
	size_t boot;
	/** Where console_append_new() goes on. */
	size_t shown;
	/** Where a list of tasks begins. */
	size_t tasks;
	/** "Kernel panic - not syncing: …", NULL if it has not. */
	char *panic;
	/** First lines of warnings, bugs, stalls and hangs. */
	struct string_list splats;
	size_t splat_count;
};

void console_deinit(struct console *console);

#define _cleanup_console_ _cleanup_(console_deinit)

/** Add what arrived. Carriage returns and NULs are dropped. */
void console_feed(struct console *console, const char *data, size_t size_bytes);

/**
 * Another kernel has taken over from one that crashed: that one's panic is not
 * this one's. What it complained about stays reported.
 */
void console_restart(struct console *console);

/** Append the lines that have been completed since the last call. */
void console_append_new(struct console *console, struct string_builder *sb);

/** Append the last lines, from the line of the panic if there was one. */
void console_append_tail(const struct console *console, unsigned int lines,
			 struct string_builder *sb);

/** The kernel will be asked for a list of its tasks (sysrq-t). */
void console_expect_tasks(struct console *console);

/**
 * Append what tasks do, from that list: those of user space, and kernel threads
 * that run or are blocked.
 *
 * @return Whether there was any task.
 */
bool console_append_tasks(const struct console *console,
			  struct string_builder *sb);

#endif /* VM_GUEST_CONSOLE_H */
