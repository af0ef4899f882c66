// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_COMMAND_COMMAND_INTERNAL_H
#define COMMON_COMMAND_COMMAND_INTERNAL_H

/** @file What the files of command.h share. */

#include "common/command/command.h"

/**
 * With the options of the command that has the name, none of them given.
 *
 * @return False if there is none, and then nothing to free.
 */
bool command_context_init(struct command_context *context,
			  const struct program *program, const char *name);
void command_context_deinit(struct command_context *context);

/**
 * Print what the last of some words can be completed to, a line each: the word,
 * a tab, what it means. Nothing where it may be any file.
 */
void command_complete(const struct program *program, int count, char **words);

#endif /* COMMON_COMMAND_COMMAND_INTERNAL_H */
