// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_SUITE_TABLE_H
#define VM_SUITE_SUITE_TABLE_H

/** @file A suite as a table for people: while it runs, and at the end. */

#include <stddef.h>
#include <stdint.h>

struct string_builder;
struct suite;
struct suite_item;

/** Append all results, a line each, with what each phase took. */
void suite_table_append(struct string_builder *sb, const struct suite *suite);

/** Append `3 passed, 1 failed`, without a newline. */
void suite_table_append_counts(struct string_builder *sb,
			       const struct suite *suite);

/** Append `6.12.117-vmtest1.0tiny: failed in 1.4 s: exit status 3`. */
void suite_table_append_result(struct string_builder *sb,
			       const struct suite_item *item);

/**
 * Append what is going on, for a terminal of this size: a line for each kernel,
 * as many as fit (those at work and those that failed before the others), and
 * the counts.
 *
 * @param[in] now_ms Monotonic.
 * @return The number of lines, each ended by a newline.
 */
size_t suite_table_append_live(struct string_builder *sb,
			       const struct suite *suite, uint64_t now_ms,
			       size_t rows, size_t columns);

/** The same in a line of a log, without results. */
void suite_table_append_status(struct string_builder *sb,
			       const struct suite *suite, uint64_t now_ms);

#endif /* VM_SUITE_SUITE_TABLE_H */
