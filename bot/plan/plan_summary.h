// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_PLAN_SUMMARY_H
#define BOT_PLAN_PLAN_SUMMARY_H

/** @file A plan for people: what exists, what the store has, what is missing. */

struct asset_list;
struct catalog;
struct plan;
struct series_list;

/** What the plan was made of. All is borrowed. */
struct plan_summary {
	const struct catalog *catalog;
	const struct series_list *kernels;
	const struct asset_list *assets;
	const struct plan *plan;
	const char *store_name;
};

/**
 * A table in Markdown: a row for each series, newest first, and a column for
 * each architecture with the flavors that the store lacks; free().
 */
char *plan_summary_format(const struct plan_summary *summary);

#endif /* BOT_PLAN_PLAN_SUMMARY_H */
