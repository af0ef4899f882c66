// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_WORKFLOW_FILE_H
#define COMMON_GITHUB_WORKFLOW_FILE_H

/**
 * @file
 *
 * The files that a step of a GitHub Actions workflow appends to: its outputs
 * (GITHUB_OUTPUT), and its summary, in Markdown (GITHUB_STEP_SUMMARY).
 */

#include <stddef.h>

#include "common/base/cleanup.h"

struct error;
struct string_builder;

enum {
	/** Bytes of a step's summary; one that is longer is not shown at all. */
	WORKFLOW_SUMMARY_LIMIT = 1 << 20,
};

/**
 * Append an output. A value of more than a line is written between two lines
 * that hold a word which it cannot know.
 *
 * @param[in] name Plain.
 */
void workflow_append_output(struct string_builder *sb, const char *name,
			    const char *value);

/**
 * Add what workflow_append_output() has made to the step's outputs.
 *
 * @return ERROR_USAGE if no step of a workflow runs us.
 */
_must_check_ struct error *workflow_outputs_write(const char *text);

/**
 * How much the step's summary still takes; 0 if it is full, or if no step of a
 * workflow runs us.
 */
_must_check_ struct error *workflow_summary_room(size_t *room_bytes_ret);

/**
 * Add to the step's summary. Where there is no room for all, its first lines
 * are added, and a note that some are missing. Nothing happens if no step of a
 * workflow runs us.
 */
_must_check_ struct error *workflow_summary_write(const char *markdown);

#endif /* COMMON_GITHUB_WORKFLOW_FILE_H */
