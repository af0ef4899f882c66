// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_PROGRESS_H
#define COMMON_BASE_PROGRESS_H

/**
 * @file
 *
 * How far a long step has come: a line that is rewritten in place on a
 * terminal; elsewhere, so that logs stay short, one line when the step ends,
 * and one whenever the log has been silent for too long (log.h). Steps nest:
 * the latest that has begun is shown. From one thread.
 *
 *     build 6.12: 512 of about 1476 files compiled, 300 s
 *     build 6.12: 1470 files compiled, 843.4 s
 */

#include <stdint.h>

#include "common/base/cleanup.h"

struct progress;

enum progress_unit {
	/** Nothing is counted: only the time is shown. */
	PROGRESS_TIME,
	/** Shown as MB, with the rate if the total is known. */
	PROGRESS_BYTES,
	/** Of a total that is a guess: shown as such, until it is passed. */
	PROGRESS_COMPILED,
	PROGRESS_OBJECTS,
	PROGRESS_FILES,
};

/**
 * @param[in] format What is being done: `download kernel-….tar.zst`.
 * @return Every other function accepts NULL, too.
 */
_printf_(2, 3) struct progress *progress_createf(enum progress_unit unit,
						 const char *format, ...);

/** @param[in] total 0 if it is not known, or as it was. */
void progress_update(struct progress *progress, uint64_t done, uint64_t total);

/** What is shown beside the numbers on a terminal, such as the file at work. */
void progress_detail(struct progress *progress, const char *detail);

/** The step has succeeded: say what was done and how long it took. */
void progress_finish(struct progress *progress);

/** Take the line away; says nothing unless progress_finish() did. */
void progress_destroy(struct progress *progress);

DEFINE_CLEANUP(progress, struct progress *, progress_destroy)
#define _cleanup_progress_ _cleanup_(cleanup_progress)

#endif /* COMMON_BASE_PROGRESS_H */
