// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_WORKFLOW_LOG_H
#define COMMON_GITHUB_WORKFLOW_LOG_H

/**
 * @file
 *
 * Workflow commands on stderr, between the lines of the log, so that they stay
 * in order; GitHub Actions reads both streams of a step. All of these do
 * nothing where no workflow runs us.
 */

#include "common/base/cleanup.h"
#include "common/github/workflow_command.h"

/** Show a message above all of the run's logs. */
_printf_(3, 4) void workflow_log_annotation(enum workflow_level level,
					    const char *title,
					    const char *format, ...);

/** Keep the token (github_token.h) out of all that the step prints later. */
void workflow_log_mask_token(void);

struct workflow_group {
	/** "" if it has not begun. */
	char token[WORKFLOW_TOKEN_SIZE];
};

/** Fold what is logged until the group ends; groups do not nest. */
_printf_(2, 3) void workflow_group_begin(struct workflow_group *group,
					 const char *format, ...);
void workflow_group_end(struct workflow_group *group);

/** Ends with its scope. */
#define _cleanup_workflow_group_ _cleanup_(workflow_group_end)

#endif /* COMMON_GITHUB_WORKFLOW_LOG_H */
