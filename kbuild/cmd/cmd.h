// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_CMD_CMD_H
#define KBUILD_CMD_CMD_H

/** @file The commands of vmtest-kbuild, which main.c lists. */

#include "common/base/cleanup.h"
#include "common/cli/command.h"

struct error;

/** What the command line of `build` says. */
struct cmd_build_arguments {
	const char *source;
	const char *tarball;
	const char *version;
	const char *git;
	const char *ref;
	const char *output;
	const char *build_directory;
	const char *format;
	unsigned int jobs;
	unsigned int rebuild;
};

extern const struct command_option cmd_build_options[];
_must_check_ struct error *cmd_build(const struct command_context *context,
				     int *status_ret);

_must_check_ struct error *cmd_toolchain(const struct command_context *context,
					 int *status_ret);

/** What the command line of `config` says. */
struct cmd_config_arguments {
	const char *source;
};

extern const struct command_option cmd_config_options[];
_must_check_ struct error *cmd_config(const struct command_context *context,
				      int *status_ret);

struct cmd_fetch_arguments {
	const char *output;
};

extern const struct command_option cmd_fetch_options[];
_must_check_ struct error *cmd_fetch(const struct command_context *context,
				     int *status_ret);

#endif /* KBUILD_CMD_CMD_H */
