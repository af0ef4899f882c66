// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/finish_report.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bot/build/build_result.h"
#include "bot/build/lost_options.h"
#include "bot/plan/planned.h"
#include "bot/report/result_table.h"
#include "bot/report/verdict.h"
#include "common/base/error.h"
#include "common/base/markdown.h"
#include "common/base/string_builder.h"

static const char no_room[] = "\nThere is no room for more.\n";

/** Of a build; publishing is another step. */
static const enum phase last_phase = PHASE_BOOT;

void finish_report_append_title(struct string_builder *sb,
				const struct verdict *verdict)
{
	string_builder_appendf(sb, "%s for %s: ", verdict->planned->release_text,
			       verdict->planned->arch);
	if (verdict->phase)
		string_builder_appendf(sb, "%s ", verdict->phase);
	string_builder_append(sb, verdict_kind_name(verdict->kind));
}

/** What a kernel was built without; NULL if it was not built. */
static struct error *format_lost(const struct verdict *verdict, char **ret)
{
	*ret = NULL;
	if (verdict->kind != VERDICT_BUILT)
		return NULL;
	*ret = lost_options_format(&verdict->result->lost_options);
	return NULL;
}

static struct error *append_line(struct string_builder *sb,
				 const struct verdict *verdict)
{
	struct error *err;

	_cleanup_free_ char *lost = NULL;
	err = format_lost(verdict, &lost);
	if (err)
		return err;
	string_builder_appendf(sb, "%-10s %-40s %-8s ",
			       verdict_kind_name(verdict->kind),
			       verdict->planned->release_text,
			       verdict->planned->arch);
	if (verdict->phase)
		string_builder_appendf(sb, "%s: ", verdict->phase);
	if (verdict->kind == VERDICT_BUILT)
		string_builder_appendf(sb, "%.1f MB",
				       (double)verdict->result->size_bytes / 1e6);
	string_builder_appendf(sb, "%s%s\n", lost && *lost ? ", " : "",
			       lost ? lost : verdict->reason);
	return NULL;
}

struct error *finish_report_text(const struct verdict_list *verdicts, char **ret)
{
	struct error *err;

	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	for (int kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
		for (size_t i = 0; i < verdicts->count; i++) {
			if (verdicts->items[i].kind != (enum verdict_kind)kind)
				continue;
			err = append_line(&sb, &verdicts->items[i]);
			if (err)
				return err;
		}
	}
	*ret = string_builder_take(&sb);
	return NULL;
}

static void append_head(struct string_builder *sb,
			const struct verdict_list *verdicts, size_t left_out)
{
	string_builder_appendf(sb,
			       "### Kernels: %zu built, %zu failed, %zu skipped",
			       verdicts->counts[VERDICT_BUILT],
			       verdicts->counts[VERDICT_FAILED],
			       verdicts->counts[VERDICT_SKIPPED]);
	if (left_out)
		string_builder_appendf(sb, ", %zu left for the next run",
				       left_out);
	string_builder_append(sb, "\n");
	if (!verdicts->count)
		return;
	string_builder_append_char(sb, '\n');
	result_table_append_head(sb, last_phase);
}

static struct error *append_row(struct string_builder *sb,
				const struct verdict *verdict)
{
	struct error *err;
	const struct build_result *result = verdict->result;
	char failed[32];

	_cleanup_free_ char *lost = NULL;
	err = format_lost(verdict, &lost);
	if (err)
		return err;
	if (verdict->phase)
		snprintf(failed, sizeof(failed), "%s failed", verdict->phase);
	result_table_append_row(
		sb, last_phase,
		&(struct result_row){
			.release = verdict->planned->release_text,
			.arch = verdict->planned->arch,
			.result = verdict->phase
					  ? failed
					  : verdict_kind_name(verdict->kind),
			.failed = verdict->phase != NULL,
			.size_bytes = result && verdict->kind == VERDICT_BUILT
					      ? result->size_bytes
					      : 0,
			.duration_ms = result ? result->duration_ms : NULL,
			.reason = lost ? lost : verdict->reason,
		});
	return NULL;
}

static void append_log(struct string_builder *sb, const struct verdict *verdict)
{
	_cleanup_string_builder_ struct string_builder title =
		STRING_BUILDER_INIT;

	finish_report_append_title(&title, verdict);
	markdown_append_details(sb, title.text, verdict->result->log);
}

/** A row, or the log of a failure: all rows come first. */
static struct error *append_part(struct string_builder *sb,
				 const struct verdict *verdict, bool is_log)
{
	if (!is_log)
		return append_row(sb, verdict);
	if (verdict->kind == VERDICT_FAILED && verdict->result &&
	    verdict->result->log && *verdict->result->log)
		append_log(sb, verdict);
	return NULL;
}

struct error *finish_report_markdown(const struct verdict_list *verdicts,
				     size_t left_out, size_t limit_bytes,
				     char **ret)
{
	struct error *err;
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_string_builder_ struct string_builder head = STRING_BUILDER_INIT;
	size_t limit = limit_bytes > strlen(no_room)
			       ? limit_bytes - strlen(no_room)
			       : 0;
	bool has_room;

	append_head(&head, verdicts, left_out);
	has_room = string_builder_append_within(&sb, &head, limit);
	for (int pass = 0; pass < 2 * VERDICT_KIND_COUNT; pass++) {
		for (size_t i = 0; i < verdicts->count && has_room; i++) {
			_cleanup_string_builder_ struct string_builder part =
				STRING_BUILDER_INIT;
			const struct verdict *verdict = &verdicts->items[i];

			if ((int)verdict->kind != pass % VERDICT_KIND_COUNT)
				continue;
			err = append_part(&part, verdict,
					  pass >= VERDICT_KIND_COUNT);
			if (err)
				return err;
			has_room =
				string_builder_append_within(&sb, &part, limit);
		}
	}
	if (!has_room && limit)
		string_builder_append(&sb, no_room);
	*ret = string_builder_take(&sb);
	return NULL;
}
