// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_WORKFLOW_H
#define COMMON_GITHUB_WORKFLOW_H

/**
 * @file
 *
 * What a step of a GitHub Actions workflow tells it: by workflow commands,
 * which are lines of its output, and by files that it appends to, its outputs
 * (GITHUB_OUTPUT) and its summary, in Markdown (GITHUB_STEP_SUMMARY). Text from
 * elsewhere is escaped for its place in them.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 *
 * Some commands are made as text. Others are written to stderr, between the
 * lines of the log, so that they stay in order; these do nothing where no
 * workflow runs us.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct error;
struct string_builder;
struct string_list;

enum {
	/** Bytes of a step's summary; a longer one is not shown at all. */
	WORKFLOW_SUMMARY_LIMIT = 1 << 20,
	/** Of a word that text from elsewhere cannot know. */
	WORKFLOW_TOKEN_SIZE = 33,
};

/** Whether a step of a workflow runs us. */
bool workflow_is_active(void);

enum workflow_level {
	WORKFLOW_NOTICE,
	WORKFLOW_WARNING,
	WORKFLOW_ERROR,
};

/** A line of a file in the repository. */
struct workflow_place {
	/** NULL for none. */
	const char *file;
	unsigned int line;
};

/**
 * Append an annotation: what the run's page shows above everything.
 *
 * @param[in] place What it is about, where it is then shown, too; may be NULL.
 */
void workflow_append_annotation(struct string_builder *sb,
				enum workflow_level level, const char *title,
				const char *message,
				const struct workflow_place *place);

/**
 * Append as many errors as GitHub shows; the last one counts those left out.
 *
 * @param[in] titles Of kernels; one for each of the messages.
 * @param[in] places The same; NULL for none.
 */
void workflow_append_errors(struct string_builder *sb,
			    const struct string_list *titles,
			    const struct string_list *messages,
			    const struct workflow_place *places);

/** An annotation, to stderr. */
_printf_(3, 4) void workflow_log_annotation(enum workflow_level level,
					    const char *title,
					    const char *format, ...);

/** Keep the token (github.h) out of all that the step prints later. */
void workflow_log_mask_token(void);

/**
 * Append text that folds under a title. Commands in it mean nothing: they are
 * stopped until the group ends.
 */
void workflow_append_group(struct string_builder *sb, const char *title,
			   const char *text);

struct workflow_group {
	/** "" if it has not begun. */
	char token[WORKFLOW_TOKEN_SIZE];
};

/** Fold what is logged until the group ends; groups do not nest. */
_printf_(2, 3) void workflow_group_begin(struct workflow_group *group,
					 const char *format, ...);
void workflow_group_end(struct workflow_group *group);

/**
 * Add lines, `NAME=VALUE`, to the step's outputs.
 *
 * @return ERROR_USAGE if no step of a workflow runs us.
 */
_must_check_ struct error *workflow_outputs_write(const char *text);

/**
 * How many bytes the step's summary still takes; 0 if it is full, or if no step
 * of a workflow runs us.
 */
size_t workflow_summary_room(void);

/** Add to the step's summary, unless that has no room for all of it. */
_must_check_ struct error *workflow_summary_write(const char *markdown);

#endif /* COMMON_GITHUB_WORKFLOW_H */
