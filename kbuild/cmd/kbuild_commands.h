// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_CMD_KBUILD_COMMANDS_H
#define KBUILD_CMD_KBUILD_COMMANDS_H

/** @file The commands of vmtest-kbuild, and what they share. */

#include "common/command/command.h"
#include "kbuild/config/config.h"

struct error;
struct kernel_version;

extern const struct command kbuild_build_command;
extern const struct command kbuild_config_command;
extern const struct command kbuild_fetch_command;
extern const struct command kbuild_toolchain_command;

/** Options of a kernel that is configured. */
struct addition_options {
	struct string_list fragments;
	struct string_list options;
};

extern const struct command_option addition_option_table[];

/**
 * What the command line asks for, all but the release: at most one architecture
 * and one flavor may be named; without, it is this machine's architecture and
 * the flavor `default`.
 *
 * @return ERROR_USAGE.
 */
_must_check_ struct error *
config_request_parse(const struct command_context *context,
		     const struct addition_options *additions,
		     struct config_request *ret);

/** @return ERROR_USAGE if the text is none. */
_must_check_ struct error *parse_version(const char *text,
					 struct kernel_version *ret);

#endif /* KBUILD_CMD_KBUILD_COMMANDS_H */
