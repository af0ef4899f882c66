// SPDX-License-Identifier: LGPL-2.1-or-later

#include <stddef.h>

#include "kbuild/cmd/kbuild_commands.h"

int main(int argc, char **argv)
{
	static const struct command *const commands[] = {
		&kbuild_build_command,
		&kbuild_config_command,
		&kbuild_fetch_command,
		&kbuild_toolchain_command,
		NULL,
	};
	static const struct program program = {
		.name = "vmtest-kbuild",
		.summary = "Build Linux kernels for testing.",
		.commands = commands,
	};

	return command_main(&program, argc, argv);
}
