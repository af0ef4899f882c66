// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_SETUP_H
#define VM_GUEST_SETUP_H

/**
 * @file
 *
 * What the guest is told over the control port: two lines for its shell, which
 * init.sh describes. Quoted here, and nowhere else.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct error;
struct share_plan;
struct string_list;

struct setup {
	const struct share_plan *shares;
	/** Absolute, in the guest. */
	const char *directory;
	/** `NAME=VALUE`. */
	const struct string_list *environment;
	/** Ended by NULL. */
	char *const *command;
	/** Streams that have a port. */
	bool has_stdin;
	bool has_stdout;
	bool has_stderr;
	/** Whether stderr goes where stdout goes. */
	bool joins_stderr;
	/** Path of a module to insert first; NULL for none. */
	const char *module;
	/** Where the command runs, instead: `/dev/hvc0`. NULL for nowhere. */
	const char *terminal;
	unsigned int rows;
	unsigned int columns;
};

/** @param[out] ret Both lines; free(). */
_must_check_ struct error *setup_format(const struct setup *setup, char **ret);

/** Whether a shell can have a variable of this name. */
bool setup_is_variable_name(const char *name);

#endif /* VM_GUEST_SETUP_H */
