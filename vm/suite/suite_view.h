// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_SUITE_VIEW_H
#define VM_SUITE_SUITE_VIEW_H

/**
 * @file
 *
 * Showing how a suite goes on, in the way that suits the output: what is at
 * work as the log's status (log.h), and, where that is no terminal's, each
 * result as it comes.
 */

#include <pthread.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "vm/suite/suite.h"
#include "vm/suite/suite_run.h"

enum suite_view_kind {
	/** A table on stderr, a terminal, that is drawn again and again. */
	SUITE_VIEW_LIVE,
	/** A line in the log for each result. */
	SUITE_VIEW_LINES,
	/** For GitHub Actions: on stdout, each result's log folds under it. */
	SUITE_VIEW_GROUPS,
	/** No results. */
	SUITE_VIEW_QUIET,
};

struct suite_view {
	/** For suite_run(). */
	struct suite_observer observer;
	enum suite_view_kind kind;
	const struct suite *suite;
	struct log_status status;
	/** Guards what follows, which the log's thread reads. */
	pthread_mutex_t mutex;
	/** The items as far as they are shown. */
	struct suite shown;
};

/** @param[in] suite Borrowed. */
void suite_view_init(struct suite_view *view, enum suite_view_kind kind,
		     const struct suite *suite);

/** Takes the table away. */
void suite_view_deinit(struct suite_view *view);

#define _cleanup_suite_view_ _cleanup_(suite_view_deinit)

#endif /* VM_SUITE_SUITE_VIEW_H */
