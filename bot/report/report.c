// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bot/build/build.h"
#include "bot/build/lost_options.h"
#include "bot/plan/plan.h"
#include "bot/report/result_table.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/github/workflow_command.h"
#include "common/kernel/catalog.h"

static void free_row(struct report_row *row)
{
	free(row->failure);
	free(row->lost);
}

void report_deinit(struct report *report)
{
	for (size_t i = 0; i < report->count; i++)
		free_row(&report->rows[i]);
	free(report->rows);
	*report = (struct report){ 0 };
}

struct error *report_add(struct report *report, const struct plan_item *item,
			 struct error *err, uint64_t size_bytes,
			 const struct build *build)
{
	_cleanup_error_ struct error *consumed = err;
	_cleanup_free_ char *failure = NULL, *lost = NULL;
	struct report_row *rows;
	struct report_row row = { .item = item, .size_bytes = size_bytes };

	if (err) {
		failure = string_copy(error_message(err));
	}
	lost = lost_options_format(&build->lost_options);
	rows = memory_resize(report->rows, report->count + 1, sizeof(*rows));
	report->rows = rows;
	report->failed += failure != NULL;
	row.failure = take_ptr(failure);
	row.lost = take_ptr(lost);
	memcpy(row.duration_ms, build->clock.duration_ms,
	       sizeof(row.duration_ms));
	rows[report->count++] = row;
	return NULL;
}

void report_failure(const struct plan_item *item, enum phase phase,
		    const struct error *err)
{
	char title[RELEASE_TEXT_SIZE + ARCH_SIZE + 32];

	log_error("%s: %s", item->release_text, error_message(err));
	snprintf(title, sizeof(title), "%s for %s: %s failed",
		 item->release_text, item->arch->name, phase_name(phase));
	workflow_log_annotation(WORKFLOW_ERROR, title, "%s", error_message(err));
}

/** Append how long each phase took that took some time. */
static void append_phases(struct string_builder *sb, const struct report_row *row)
{
	const char *separator = "  ";

	for (int i = 0; i < PHASE_COUNT; i++) {
		if (row->duration_ms[i] < 100)
			continue;
		string_builder_appendf(sb, "%s%s %.1f s", separator,
				       phase_name((enum phase)i),
				       (double)row->duration_ms[i] / 1000);
		separator = ", ";
	}
}

char *report_format(const struct report *report)
{
	struct string_builder sb = STRING_BUILDER_INIT;

	for (size_t i = 0; i < report->count; i++) {
		const struct report_row *row = &report->rows[i];

		string_builder_appendf(&sb, "%-10s %-40s %-8s ",
				       row->failure ? "failed" : "published",
				       row->item->release_text,
				       row->item->arch->name);
		if (row->failure)
			string_builder_append(&sb, row->failure);
		else
			string_builder_appendf(&sb, "%.1f MB%s%s",
					       (double)row->size_bytes / 1e6,
					       *row->lost ? ", " : "", row->lost);
		append_phases(&sb, row);
		string_builder_append_char(&sb, '\n');
	}
	return string_builder_take(&sb);
}

char *report_format_markdown(const struct report *report)
{
	struct string_builder sb = STRING_BUILDER_INIT;

	string_builder_appendf(&sb, "### Kernels: %zu published, %zu failed\n\n",
			       report->count - report->failed, report->failed);
	result_table_append_head(&sb, PHASE_PUBLISH);
	for (size_t i = 0; i < report->count; i++) {
		const struct report_row *row = &report->rows[i];

		result_table_append_row(
			&sb, PHASE_PUBLISH,
			&(struct result_row){
				.release = row->item->release_text,
				.arch = row->item->arch->name,
				.result = row->failure ? "failed" : "published",
				.failed = row->failure != NULL,
				.size_bytes = row->size_bytes,
				.duration_ms = row->duration_ms,
				.reason = row->failure ? row->failure : row->lost,
			});
	}
	return string_builder_take(&sb);
}
