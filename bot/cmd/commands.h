// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_CMD_COMMANDS_H
#define BOT_CMD_COMMANDS_H

/** @file The commands of vmtest-bot. */

#include "common/cli/command.h"

extern const struct command cmd_poll;
extern const struct command cmd_plan;
extern const struct command cmd_run;
extern const struct command cmd_build;
extern const struct command cmd_publish;
extern const struct command cmd_finish;
extern const struct command cmd_prune;
extern const struct command cmd_status;

#endif /* BOT_CMD_COMMANDS_H */
