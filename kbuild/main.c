// SPDX-License-Identifier: LGPL-2.1-or-later

#include <stddef.h>

#include "common/command.h"
#include "kbuild/cmd.h"

// clang-format off
static const struct command commands[] = {
	{
		.name = "build",
		.arguments = "",
		.summary = "build a kernel and pack it",
		.options = cmd_build_options,
		.options_size = sizeof(struct cmd_build_arguments),
		.run = cmd_build,
	},
	{
		.name = "config",
		.arguments = "VERSION",
		.summary = "print the composed config fragment",
		.run = cmd_config,
	},
	{
		.name = "fetch",
		.arguments = "VERSION",
		.summary = "download a version's tarball, unless it is there and whole",
		.details = "Its digest is checked against the one that kernel.org publishes; release\n"
			   "candidates are made on the fly and have none.",
		.options = cmd_fetch_options,
		.options_size = sizeof(struct cmd_fetch_arguments),
		.run = cmd_fetch,
	},
	{ 0 },
};
// clang-format on

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "vmtest-kbuild",
		.summary = "Build Linux kernels for testing.",
		.commands = commands,
	};

	return command_main(&program, argc, argv);
}
