// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_REPORT_REPORT_H
#define BOT_REPORT_REPORT_H

/** @file What has become of kernels, for people. */

#include <stddef.h>

#include "common/base/cleanup.h"
#include "kbuild/phase.h"

struct build_results;
struct error;
struct plan_item;
struct string_builder;
struct table;
struct verdict;
struct verdict_list;

/**
 * Say why a kernel failed, where that does not end the command; in a workflow,
 * above the run's logs, too.
 */
void report_failure(const struct plan_item *item, enum phase phase,
		    const struct error *err);

/** Append `6.12.117-vmtest1.0tiny for x86_64: build failed`. */
void report_append_title(struct string_builder *sb,
			 const struct verdict *verdict);

/** Make a table with a row for each, and the time that each phase took. */
void report_results(const struct build_results *results, struct table *ret);

/**
 * The same, the failures first; the ends of their logs fold below it.
 *
 * @param[out] ret Borrows nothing from the verdicts.
 */
void report_verdicts(const struct verdict_list *verdicts, struct table *ret);

/**
 * The summary of a step in Markdown: how many there are of each kind, and that
 * table; free().
 *
 * @param[in] left_out Kernels that the plan left for another time.
 * @param[in] limit_bytes At most this many, unless the head has more.
 */
char *report_summary(const struct verdict_list *verdicts, size_t left_out,
		     size_t limit_bytes);

#endif /* BOT_REPORT_REPORT_H */
