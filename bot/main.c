// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/commands.h"

int main(int argc, char **argv)
{
	const struct command commands[] = {
		cmd_poll,   cmd_plan,  cmd_run,	   cmd_build, cmd_publish,
		cmd_finish, cmd_prune, cmd_status, { 0 },
	};
	const struct program program = {
		.name = "vmtest-bot",
		.summary = "Polls kernel.org, builds the kernels that a release store lacks, boots them and publishes them.",
		.commands = commands,
		.annotates_errors = true,
	};

	return command_main(&program, argc, argv);
}
