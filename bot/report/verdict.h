// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_REPORT_VERDICT_H
#define BOT_REPORT_VERDICT_H

/**
 * @file
 *
 * What has become of a plan that many jobs have carried out: what they say of
 * themselves, compared with what the store has. Nothing here touches anything.
 */

#include <stddef.h>

#include "common/base/cleanup.h"

struct asset_list;
struct build_result;
struct build_results;
struct planned;
struct planned_list;

enum verdict_kind {
	VERDICT_FAILED,
	/** Neither: a job was ended, or somebody else was faster. */
	VERDICT_SKIPPED,
	VERDICT_BUILT,
	VERDICT_KIND_COUNT,
};

/** `failed`, `skipped`, `built`. */
const char *verdict_kind_name(enum verdict_kind kind);

/** All is borrowed from what it was computed from. */
struct verdict {
	const struct planned *planned;
	enum verdict_kind kind;
	/**
	 * Where it failed: a phase of the build, `publish` if the store lacks
	 * what was built, `job` if nobody says anything. NULL if it did not.
	 */
	const char *phase;
	/** One line; "" if it was built. */
	const char *reason;
	/** NULL if there is none. */
	const struct build_result *result;
};

/** In the plan's order. */
struct verdict_list {
	struct verdict *items;
	size_t count;
	size_t counts[VERDICT_KIND_COUNT];
};

void verdict_list_deinit(struct verdict_list *list);

#define _cleanup_verdict_list_ _cleanup_(verdict_list_deinit)

/** @param[in,out] ret Zeroed. */
void verdicts_compute(const struct planned_list *plan,
		      const struct build_results *results,
		      const struct asset_list *assets, struct verdict_list *ret);

#endif /* BOT_REPORT_VERDICT_H */
