// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_PROGRESS_H
#define COMMON_PROGRESS_H

/**
 * @file
 *
 * How far a long step has come: a line that is rewritten in place on a
 * terminal; elsewhere, so that logs stay short, one line when the step ends.
 */

#include <stdint.h>

#include "common/cleanup.h"

struct progress;

enum progress_unit {
	/** Shown as MB, with the rate. */
	PROGRESS_BYTES,
	/** Shown as a plain count. */
	PROGRESS_COUNT,
};

/**
 * @param[in] what What is being done: `download kernel-….tar.zst`. Copied.
 * @return Never NULL in a way that matters: all functions take NULL.
 */
struct progress *progress_create(const char *what, enum progress_unit unit);

/**
 * Report. Cheap: redraws ten times a second at most.
 *
 * @param[in] total 0 if not known.
 */
void progress_update(struct progress *progress, uint64_t done, uint64_t total);

/** A short text to show beside the numbers, such as the file at work. */
void progress_detail(struct progress *progress, const char *detail);

/** The step has succeeded: say what was done and how long it took. */
void progress_finish(struct progress *progress);

/** Take the line away; says nothing unless progress_finish() did. */
void progress_destroy(struct progress *progress);

static inline void cleanup_progress(struct progress **progress)
{
	progress_destroy(*progress);
}

#define _cleanup_progress_ _cleanup_(cleanup_progress)

#endif /* COMMON_PROGRESS_H */
