// SPDX-License-Identifier: LGPL-2.1-or-later

#include <stddef.h>

#include "bot/cmd/commands.h"
#include "bot/cmd/session.h"
#include "common/github/workflow_command.h"

/** In a workflow, a command's error stands above the run's logs, too. */
static void annotate(const char *message)
{
	workflow_log_annotation(WORKFLOW_ERROR, "vmtest-bot", "%s", message);
}

int main(int argc, char **argv)
{
	static const struct command *const commands[] = {
		&cmd_poll,   &cmd_plan,	 &cmd_run,    &cmd_build, &cmd_publish,
		&cmd_finish, &cmd_prune, &cmd_status, NULL,
	};
	const struct program program = {
		.name = "vmtest-bot",
		.summary = "Polls kernel.org, builds the kernels that a release store lacks, boots them and publishes them.",
		.commands = commands,
		.tell = annotate,
		.repository = session_repository,
	};

	return command_main(&program, argc, argv);
}
