// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_REPORT_RESULT_TABLE_H
#define BOT_REPORT_RESULT_TABLE_H

/** @file What became of kernels, as a table in Markdown. */

#include <stddef.h>
#include <stdint.h>

#include "kbuild/phase.h"

struct string_builder;

/** All is borrowed. */
struct result_row {
	const char *release;
	const char *arch;
	/** `built`. */
	const char *result;
	/** Whether it stands out. */
	bool failed;
	/** Of the package; 0 for none. */
	uint64_t size_bytes;
	/** Of each phase; NULL if it is not known. */
	const uint64_t *duration_ms;
	/** One line; "" for nothing to say. */
	const char *reason;
};

/** @param[in] last The last phase that has a column. */
void result_table_append_head(struct string_builder *sb, enum phase last);
void result_table_append_row(struct string_builder *sb, enum phase last,
			     const struct result_row *row);

#endif /* BOT_REPORT_RESULT_TABLE_H */
