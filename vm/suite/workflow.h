// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_WORKFLOW_H
#define VM_SUITE_WORKFLOW_H

/**
 * @file
 *
 * A suite as GitHub Actions shows it: annotations, and the summary of a step in
 * Markdown. Nothing here touches anything.
 */

#include <stddef.h>

struct string_builder;
struct string_list;
struct suite;

/** Append an error for each failure; the last that is shown stands for more. */
void workflow_append_errors(struct string_builder *sb, const struct suite *suite);

/**
 * Append a table, and the ends of the failures' logs, as many as there is room
 * for.
 *
 * @param[in] text A sentence on the whole; NULL for none.
 * @param[in] logs One for each item, "" for none.
 * @param[in] limit_bytes At most this many.
 */
void workflow_append_summary(struct string_builder *sb, const char *title,
			     const char *text, const struct suite *suite,
			     const struct string_list *logs, size_t limit_bytes);

#endif /* VM_SUITE_WORKFLOW_H */
