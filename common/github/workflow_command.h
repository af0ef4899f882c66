// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_WORKFLOW_COMMAND_H
#define COMMON_GITHUB_WORKFLOW_COMMAND_H

/**
 * @file
 *
 * Workflow commands: lines of a step's output that GitHub Actions obeys. Text
 * from elsewhere goes through the append that escapes for its place.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct error;
struct string_builder;

enum {
	/** Annotations of a kind that are shown of a step. */
	WORKFLOW_ANNOTATION_LIMIT = 10,
	WORKFLOW_TOKEN_SIZE = 33,
};

/** Whether a step of a workflow runs us. */
bool workflow_is_active(void);

/** Append text as the message of a workflow command. */
void workflow_append_message(struct string_builder *sb, const char *text);

/** The same as the value of a property, such as `title=`. */
void workflow_append_property(struct string_builder *sb, const char *text);

enum workflow_level {
	WORKFLOW_NOTICE,
	WORKFLOW_WARNING,
	WORKFLOW_ERROR,
};

/** Append an annotation: what the run's page shows above everything. */
void workflow_append_annotation(struct string_builder *sb,
				enum workflow_level level, const char *title,
				const char *message);

/** Append what keeps a secret out of all that the step prints from here on. */
void workflow_append_mask(struct string_builder *sb, const char *secret);

/** A word that text from elsewhere cannot know. */
_must_check_ struct error *
workflow_make_token(char token_ret[static WORKFLOW_TOKEN_SIZE]);

/**
 * Append what makes the lines that follow fold under a title. Commands in them
 * mean nothing: they are stopped until the group ends.
 *
 * @param[in] token Of workflow_make_token(); the same for the end.
 */
void workflow_append_group_begin(struct string_builder *sb, const char *title,
				 const char *token);
void workflow_append_group_end(struct string_builder *sb, const char *token);

/** Append a whole group. */
void workflow_append_group(struct string_builder *sb, const char *title,
			   const char *text, const char *token);

#endif /* COMMON_GITHUB_WORKFLOW_COMMAND_H */
