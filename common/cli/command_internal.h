// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_CLI_COMMAND_INTERNAL_H
#define COMMON_CLI_COMMAND_INTERNAL_H

/** @file What the files of command.h share. */

#include "common/cli/command.h"

/** An option of a command, and where its value goes. */
struct command_slot {
	const struct command_option *option;
	void *value;
	/** It is on the command line. */
	bool given;
};

/** NULL if there is none. */
const struct command *command_find(const struct program *program,
				   const char *name);

/** Make the options' values, which are those of an empty command line. */
void command_options_init(struct command_context *context);
void command_options_deinit(struct command_context *context);

/** NULL if there is none. */
struct command_slot *command_option_find(const struct command_context *context,
					 char letter, const char *name,
					 size_t length);

/** Add the words of a choice. */
void command_option_words(const struct command_option *option,
			  struct string_list *ret);

enum command_request {
	COMMAND_RUN,
	COMMAND_HELP,
	COMMAND_VERSION,
};

/**
 * Read a command line.
 *
 * @param[in] argv Begins with the command's name.
 */
_must_check_ struct error *command_parse(struct command_context *context,
					 int argc, char **argv,
					 enum command_request *ret);

/** Free what command_open() and command_row() have made. */
void command_context_deinit(struct command_context *context);

/**
 * Print what the last of some words can be completed to, a line each: the word,
 * a tab, what it means. Nothing where it may be any file.
 */
void command_complete(const struct program *program, int count, char **words);

#endif /* COMMON_CLI_COMMAND_INTERNAL_H */
