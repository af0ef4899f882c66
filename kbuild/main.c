// SPDX-License-Identifier: LGPL-2.1-or-later

#include <stddef.h>

#include "kbuild/cmd/commands.h"

int main(int argc, char **argv)
{
	static const struct command *const commands[] = {
		&cmd_build, &cmd_config, &cmd_fetch, &cmd_toolchain, NULL,
	};
	static const struct program program = {
		.name = "vmtest-kbuild",
		.summary = "Build Linux kernels for testing.",
		.commands = commands,
	};

	return command_main(&program, argc, argv);
}
