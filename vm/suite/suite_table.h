// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_SUITE_TABLE_H
#define VM_SUITE_SUITE_TABLE_H

/**
 * @file
 *
 * A suite for people: while it runs and at the end, on a terminal, in a log,
 * and as GitHub Actions shows it. Nothing here touches anything.
 */

#include <stddef.h>
#include <stdint.h>

struct string_builder;
struct string_list;
struct suite;
struct suite_item;

/** Append all results, a line each, with what each phase took. */
void suite_table_append(struct string_builder *sb, const struct suite *suite);

/**
 * Append the same in Markdown, with the ends of the failures' logs, as many as
 * there is room for.
 *
 * @param[in] text A sentence on the whole; NULL for none.
 * @param[in] logs One for each item, "" for none.
 * @param[in] limit_bytes At most this many, unless the head has more.
 */
void suite_table_append_summary(struct string_builder *sb, const char *title,
				const char *text, const struct suite *suite,
				const struct string_list *logs,
				size_t limit_bytes);

/**
 * Append an annotation for each failure; the last that Actions shows stands for
 * more.
 */
void suite_table_append_errors(struct string_builder *sb,
			       const struct suite *suite);

/** Append `3 passed, 1 failed`, without a newline. */
void suite_table_append_counts(struct string_builder *sb,
			       const struct suite *suite);

/** Append `6.12.117-vmtest1.0tiny: failed in 1.4 s: exit status 3`. */
void suite_table_append_result(struct string_builder *sb,
			       const struct suite_item *item);

/**
 * Append what is going on, for a terminal of this size: a line for each kernel,
 * as many as fit (those at work and those that failed before the others), and
 * the counts, without a newline.
 *
 * @param[in] now_ms Monotonic.
 */
void suite_table_append_live(struct string_builder *sb, const struct suite *suite,
			     uint64_t now_ms, size_t rows, size_t columns);

/** The same in a line of a log, without results. */
void suite_table_append_status(struct string_builder *sb,
			       const struct suite *suite, uint64_t now_ms);

#endif /* VM_SUITE_SUITE_TABLE_H */
