// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_PROTOCOL_H
#define VM_GUEST_PROTOCOL_H

/**
 * @file
 *
 * What init.sh and we say to each other over the control port, as init.sh
 * describes it. What the guest sends is not trusted: any program of root there
 * can.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/string_builder.h"
#include "vm/guest/lifecycle.h"

struct guest_config;
struct guest_plan;

/**
 * What the guest is told first: two lines for its shell, whose words are quoted
 * here, and nowhere else; free().
 *
 * @param[in] port_fds By enum qemu_port; -1 for none.
 */
char *protocol_format_setup(const struct guest_config *config,
			    const struct guest_plan *plan, const int *port_fds);

/** Whether a shell can have a variable of this name. */
bool protocol_is_variable_name(const char *name);

enum {
	/** A longer line is nonsense. */
	PROTOCOL_LINE_LIMIT = 8192
};

/** Reads what the guest says. Starts as zeros. */
struct protocol {
	/** What has arrived of a line. */
	char line[PROTOCOL_LINE_LIMIT + 1];
	size_t length;
	/** The last whole line, as plain text (text.h). */
	struct string_builder text;
	/** Of the last `exit STATUS`. */
	int status;
};

void protocol_deinit(struct protocol *protocol);

/**
 * Take bytes, up to the end of a line.
 *
 * @param[in,out] data Moved behind what was taken.
 * @return Whether there is an event; if not, all has been taken.
 */
bool protocol_read(struct protocol *protocol, const char **data,
		   const char *end, enum lifecycle_event *ret);

/** The line of the last event, to be shown. Valid until the next. */
const char *protocol_text(const struct protocol *protocol);

/** After `fail WHAT`: WHAT, in the same way. */
const char *protocol_what(const struct protocol *protocol);

#endif /* VM_GUEST_PROTOCOL_H */
