// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/commands.h"

int main(int argc, char **argv)
{
	static const struct command *const commands[] = {
		&cmd_run,    &cmd_test,	  &cmd_bisect, &cmd_list, &cmd_download,
		&cmd_module, &cmd_rootfs, &cmd_prune,  NULL,
	};
	static const struct program program = {
		.name = "vmtest-vm",
		.summary = "Run commands under other kernels.",
		.commands = commands,
		.complete_kernel = add_kernel_names,
	};

	return command_main(&program, argc, argv);
}
