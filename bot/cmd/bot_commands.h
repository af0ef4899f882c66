// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_CMD_BOT_COMMANDS_H
#define BOT_CMD_BOT_COMMANDS_H

/** @file The commands of vmtest-bot. */

#include "common/cli/command.h"

extern const struct command bot_poll_command;
extern const struct command bot_plan_command;
extern const struct command bot_run_command;
extern const struct command bot_build_command;
extern const struct command bot_publish_command;
extern const struct command bot_finish_command;
extern const struct command bot_prune_command;
extern const struct command bot_status_command;

#endif /* BOT_CMD_BOT_COMMANDS_H */
