// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report.h"

#include <stdlib.h>
#include <string.h>

#include "bot/plan.h"
#include "common/catalog.h"
#include "common/error.h"
#include "common/string_builder.h"

void report_deinit(struct report *report)
{
	for (size_t i = 0; i < report->count; i++)
		free(report->rows[i].failure);
	free(report->rows);
	*report = (struct report){ 0 };
}

struct error *report_add(struct report *report, const struct plan_item *item,
			 struct error *err, uint64_t size_bytes,
			 uint64_t duration_ms)
{
	_cleanup_error_ struct error *consumed = err;
	_cleanup_free_ char *failure = NULL;
	struct report_row *rows;

	if (err) {
		failure = strdup(error_message(err));
		if (!failure)
			return error_no_memory();
	}
	rows = reallocarray(report->rows, report->count + 1, sizeof(*rows));
	if (!rows)
		return error_no_memory();
	report->rows = rows;
	report->failed += failure != NULL;
	rows[report->count++] = (struct report_row){
		.item = item,
		.failure = take_ptr(failure),
		.size_bytes = size_bytes,
		.duration_ms = duration_ms,
	};
	return NULL;
}

struct error *report_format(const struct report *report, char **ret)
{
	struct string_builder sb = STRING_BUILDER_INIT;

	for (size_t i = 0; i < report->count; i++) {
		const struct report_row *row = &report->rows[i];

		string_builder_appendf(&sb, "%-10s %-40s %-8s %5.0f s  ",
				       row->failure ? "failed" : "published",
				       row->item->release_text,
				       row->item->arch->name,
				       (double)row->duration_ms / 1000);
		if (row->failure)
			string_builder_append(&sb, row->failure);
		else
			string_builder_appendf(&sb, "%.1f MB",
					       (double)row->size_bytes / 1e6);
		string_builder_append_char(&sb, '\n');
	}
	return string_builder_finish(&sb, ret);
}
