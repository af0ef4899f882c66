// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_REPORT_REPORT_H
#define BOT_REPORT_REPORT_H

/** @file What a run has done, kernel by kernel, for the table at its end. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "kbuild/phase.h"

struct build;
struct error;
struct plan_item;

struct report_row {
	const struct plan_item *item;
	/** Why it failed; NULL for a success. */
	char *failure;
	/** What it was built without; "" if it has all. */
	char *lost;
	/** Of the package; 0 for a failure. */
	uint64_t size_bytes;
	uint64_t duration_ms[PHASE_COUNT];
};

struct report {
	struct report_row *rows;
	size_t count;
	size_t failed;
};

void report_deinit(struct report *report);

#define _cleanup_report_ _cleanup_(report_deinit)

/**
 * Add what has become of an item.
 *
 * @param[in] err Consumed; NULL for a success.
 * @param[in] build Its phases, and what it lost, are copied.
 */
_must_check_ struct error *report_add(struct report *report,
				      const struct plan_item *item,
				      struct error *err, uint64_t size_bytes,
				      const struct build *build);

/**
 * Say why an item failed, where that does not end the command; in a workflow,
 * above the run's logs, too.
 */
void report_failure(const struct plan_item *item, enum phase phase,
		    const struct error *err);

/** The table, one line a kernel; free(). */
char *report_format(const struct report *report);

/** The same for the summary of a workflow's step; free(). */
char *report_format_markdown(const struct report *report);

#endif /* BOT_REPORT_REPORT_H */
