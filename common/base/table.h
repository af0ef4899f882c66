// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_TABLE_H
#define COMMON_BASE_TABLE_H

/**
 * @file
 *
 * Rows of cells under titled columns, as text for people, or as Markdown for
 * GitHub. Columns come first, then the cells, row by row. A column of numbers
 * in which no row has any is not shown.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

enum table_kind {
	TABLE_TEXT,
	/** Text that may hold anything, and long: last in text, code in Markdown. */
	TABLE_CODE,
	/** Markdown already, of a table that is shown as nothing else. */
	TABLE_MARKDOWN,
	/** Aligned to the right; an empty cell is `-` in text. */
	TABLE_NUMBER,
};

struct table {
	struct table_columns {
		struct table_column *items;
		size_t count;
	} columns;
	struct table_cells {
		struct table_cell *items;
		size_t count;
	} cells;
	/** Markdown. */
	struct string_list folds;
	/**
	 * What Markdown ends with if not all of it fits; borrowed; NULL for a
	 * sentence that says just that.
	 */
	const char *left_out;
};

void table_deinit(struct table *table);

#define _cleanup_table_ _cleanup_(table_deinit)

/** @param[in] title "" for none; if all are "", text has no line of titles. */
void table_add_column(struct table *table, const char *title,
		      enum table_kind kind);

/**
 * Add a cell: the next one of its row, or the first of a new one.
 *
 * @param[in] text NULL for an empty one.
 */
void table_add(struct table *table, const char *text);
_printf_(2, 3) void table_addf(struct table *table, const char *format, ...);

/** Text that Markdown shows in bold if it is strong. */
void table_add_status(struct table *table, const char *text, bool is_strong);

/** `1.3 s`, `83.9 MB`; 0 for an empty cell. */
void table_add_seconds(struct table *table, uint64_t ms);
void table_add_megabytes(struct table *table, uint64_t bytes);

/** Have lines of text, such as the end of a log, fold below the Markdown. */
void table_add_fold(struct table *table, const char *title, const char *text);

/**
 * Append a line for the titles, and one for each row; nothing if there is none.
 *
 * @param[in] width_max Columns of the terminal, where longer lines are cut; 0
 * for any.
 */
void table_append_text(struct string_builder *sb, const struct table *table,
		       size_t width_max);

/** Write the text to stdout. */
void table_print(const struct table *table);

/**
 * Append as many rows, and then folds, as there is room for.
 *
 * @param[in] limit_bytes Most bytes of the whole string afterwards.
 */
void table_append_markdown(struct string_builder *sb, const struct table *table,
			   size_t limit_bytes);

#endif /* COMMON_BASE_TABLE_H */
