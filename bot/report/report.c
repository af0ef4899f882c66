// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/report.h"

#include <stdbool.h>
#include <string.h>

#include "bot/build/build.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/github/workflow.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"

const char *const verdict_kind_names[] = {
	[VERDICT_FAILED] = "failed",
	[VERDICT_SKIPPED] = "skipped",
	[VERDICT_BUILT] = "built",
};

/** @param[in] name The package's. */
static void judge(struct verdict *verdict, const struct asset_list *assets,
		  const char *name)
{
	const struct build_result *result = verdict->result;
	const struct asset *asset = assets ? asset_list_find(assets, name) : NULL;

	if (!result && asset) {
		verdict->kind = VERDICT_SKIPPED;
		verdict->reason = "the store has it, from elsewhere";
	} else if (!result) {
		verdict->phase = "job";
		verdict->reason = "it left no result: see the log of its job";
	} else if (result->outcome == BUILD_UNAVAILABLE) {
		verdict->kind = VERDICT_SKIPPED;
		verdict->reason = result->error ? result->error : "";
	} else if (result->outcome == BUILD_FAILED) {
		verdict->phase = phase_names[result->clock.current];
		verdict->reason = result->error ? result->error : "";
	} else if (assets && !asset) {
		verdict->phase = phase_names[PHASE_PUBLISH];
		verdict->reason =
			"it was built, but the store does not have it: see the log of its job";
	} else if (asset && *asset->digest &&
		   strcmp(asset->digest, result->digest) != 0) {
		verdict->phase = phase_names[PHASE_PUBLISH];
		verdict->reason =
			"the store has another package of this name; rebuild it under the next PATCH";
	} else {
		verdict->kind = VERDICT_BUILT;
	}
}

void verdicts_compute(const struct plan *plan,
		      const struct build_results *results,
		      const struct asset_list *assets, struct verdict_list *ret)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];
		struct verdict verdict = {
			.item = item,
			.kind = VERDICT_FAILED,
			.reason = "",
			.result = build_results_find(results, &item->release,
						     item->arch->name),
		};
		char name[PACKAGE_NAME_SIZE];

		package_name_format(item->release_text, item->arch->name, name);
		judge(&verdict, assets, name);
		ret->counts[verdict.kind]++;
		vector_add(ret) = verdict;
	}
}

char *report_title(const struct plan_item *item, const char *phase)
{
	return string_format("%s for %s: %s failed", item->release_text,
			     item->arch->name, phase);
}

void report_failure(const struct plan_item *item,
		    const struct build_result *result)
{
	bool is_missing = result->outcome == BUILD_UNAVAILABLE;
	const char *log = result->log && !is_missing ? result->log : "";
	_cleanup_free_ char *title =
		is_missing
			? string_format("%s for %s: skipped",
					item->release_text, item->arch->name)
			: report_title(item, phase_names[result->clock.current]);

	log_write(is_missing ? LOG_WARNING : LOG_ERROR, "%s: %s",
		  item->release_text, result->error);
	workflow_log_annotation(is_missing ? WORKFLOW_NOTICE : WORKFLOW_ERROR,
				title, "%s%s%s", result->error,
				*log ? "\n" : "", log);
}

static void add_row(struct table *table, const struct verdict *verdict)
{
	const struct build_result *result = verdict->result;
	bool is_failed = verdict->kind == VERDICT_FAILED;
	bool is_built = verdict->kind == VERDICT_BUILT;
	_cleanup_free_ char *status =
		string_format("%s%s%s", is_failed ? verdict->phase : "",
			      is_failed ? " " : "",
			      verdict_kind_names[verdict->kind]);

	table_add(table, verdict->item->release_text);
	table_add(table, verdict->item->arch->name);
	table_add_status(table, status, is_failed);
	_cleanup_free_ char *lost =
		is_built ? lost_options_format(&result->lost_options) : NULL;
	table_add(table, lost ? lost : verdict->reason);
	table_add_megabytes(table, is_built ? result->size_bytes : 0);
	for (int i = 0; i < PHASE_COUNT; i++)
		table_add_seconds(table,
				  result ? result->clock.duration_ms[i] : 0);
	if (!is_failed || !result || !result->log || !*result->log)
		return;
	_cleanup_free_ char *title = report_title(verdict->item, verdict->phase);
	table_add_fold(table, title, result->log);
}

void report_verdicts(const struct verdict_list *verdicts, struct table *ret)
{
	table_add_column(ret, "kernel", TABLE_TEXT);
	table_add_column(ret, "architecture", TABLE_TEXT);
	table_add_column(ret, "result", TABLE_TEXT);
	// Where GitHub shows it without scrolling.
	table_add_column(ret, "", TABLE_CODE);
	table_add_column(ret, "size", TABLE_NUMBER);
	for (int i = 0; i < PHASE_COUNT; i++)
		table_add_column(ret, phase_names[i], TABLE_NUMBER);
	for (int kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
		for (size_t i = 0; i < verdicts->count; i++) {
			if ((int)verdicts->items[i].kind == kind)
				add_row(ret, &verdicts->items[i]);
		}
	}
}

char *report_summary(const struct verdict_list *verdicts, size_t left_out,
		     size_t limit_bytes)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_table_ struct table table = { 0 };

	string_builder_appendf(&sb,
			       "### Kernels: %zu built, %zu failed, %zu skipped",
			       verdicts->counts[VERDICT_BUILT],
			       verdicts->counts[VERDICT_FAILED],
			       verdicts->counts[VERDICT_SKIPPED]);
	if (left_out)
		string_builder_appendf(&sb, ", %zu left for the next run",
				       left_out);
	string_builder_append(&sb, verdicts->count ? "\n\n" : "\n");
	report_verdicts(verdicts, &table);
	if (verdicts->count)
		table_append_markdown(&sb, &table, limit_bytes);
	return string_builder_take(&sb);
}
