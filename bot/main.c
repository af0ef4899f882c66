// SPDX-License-Identifier: LGPL-2.1-or-later

#include <stddef.h>

#include "bot/cmd/bot_commands.h"
#include "common/github/workflow.h"

/** In a workflow, a command's error stands above the run's logs, too. */
static void annotate(const char *message)
{
	workflow_log_annotation(WORKFLOW_ERROR, "vmtest-bot", "%s", message);
}

int main(int argc, char **argv)
{
	static const struct command *const commands[] = {
		&bot_poll_command,    &bot_plan_command,
		&bot_prepare_command, &bot_run_command,
		&bot_build_command,   &bot_publish_command,
		&bot_finish_command,  &bot_prune_command,
		&bot_status_command,  NULL,
	};
	const struct program program = {
		.name = "vmtest-bot",
		.summary = "Polls kernel.org, builds the kernels that a release store lacks, boots them and publishes them.",
		.commands = commands,
		.tell = annotate,
		.repository = session_repository,
	};

	// Before anything is printed that could hold it.
	workflow_log_mask_token();
	return command_main(&program, argc, argv);
}
