// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/report.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bot/build/build.h"
#include "bot/plan/plan.h"
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

void verdict_list_deinit(struct verdict_list *list)
{
	free(list->items);
	*list = (struct verdict_list){ 0 };
}

/** @param[in] asset NULL if the store does not have the package. */
static void judge(struct verdict *verdict, const struct asset *asset)
{
	const struct build_result *result = verdict->result;

	if (!result && asset) {
		verdict->kind = VERDICT_SKIPPED;
		verdict->reason = "the store has it, from elsewhere";
	} else if (!result) {
		verdict->phase = "job";
		verdict->reason = "it left no result: see the log of its job";
	} else if (result->outcome == BUILD_CANCELLED) {
		verdict->kind = VERDICT_SKIPPED;
		verdict->reason = "its job was cancelled";
	} else if (result->outcome == BUILD_FAILED) {
		verdict->phase = phase_names[result->clock.current];
		verdict->reason = result->error ? result->error : "";
	} else if (!asset) {
		verdict->phase = phase_names[PHASE_PUBLISH];
		verdict->reason =
			"it was built, but the store does not have it: see the log of its job";
	} else if (*asset->digest && strcmp(asset->digest, result->digest) != 0) {
		verdict->phase = phase_names[PHASE_PUBLISH];
		verdict->reason =
			"the store has another package of this name; rebuild it under the next PATCH";
	} else {
		verdict->kind = VERDICT_BUILT;
	}
}

void verdicts_compute(const struct planned_list *plan,
		      const struct build_results *results,
		      const struct asset_list *assets, struct verdict_list *ret)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct planned *planned = &plan->items[i];
		struct verdict verdict = {
			.planned = planned,
			.kind = VERDICT_FAILED,
			.reason = "",
			.result = build_results_find(results, &planned->release,
						     planned->arch),
		};
		char name[PACKAGE_NAME_SIZE];

		package_name_format(planned->release_text, planned->arch, name);
		judge(&verdict, asset_list_find(assets, name));
		ret->counts[verdict.kind]++;
		vector_add(ret) = verdict;
	}
}

void report_failure(const struct plan_item *item, enum phase phase,
		    const struct error *err, const char *log)
{
	char title[RELEASE_TEXT_SIZE + ARCH_SIZE + 32];

	log_error("%s: %s", item->release_text, error_message(err));
	snprintf(title, sizeof(title), "%s for %s: %s failed",
		 item->release_text, item->arch->name, phase_names[phase]);
	workflow_log_annotation(WORKFLOW_ERROR, title, "%s%s%s",
				error_message(err), log && *log ? "\n" : "",
				log ? log : "");
}

char *report_title(const struct verdict *verdict)
{
	return string_format("%s for %s: %s%s%s", verdict->planned->release_text,
			     verdict->planned->arch,
			     verdict->phase ? verdict->phase : "",
			     verdict->phase ? " " : "",
			     verdict_kind_names[verdict->kind]);
}

static void add_columns(struct table *table)
{
	table_add_column(table, "kernel", TABLE_TEXT);
	table_add_column(table, "architecture", TABLE_TEXT);
	table_add_column(table, "result", TABLE_TEXT);
	table_add_column(table, "size", TABLE_NUMBER);
	for (int i = 0; i < PHASE_COUNT; i++)
		table_add_column(table, phase_names[i], TABLE_NUMBER);
	table_add_column(table, "", TABLE_CODE);
}

/**
 * Add what follows the kernel's name.
 *
 * @param[in] failed Where it failed; NULL if it did not.
 * @param[in] success What it is called if it did not.
 * @param[in] is_built Whether there is a package, which may lack something.
 * @param[in] result NULL if there is none.
 */
static void add_outcome(struct table *table, const char *failed,
			const char *success, bool is_built, const char *reason,
			const struct build_result *result)
{
	char status[32];

	snprintf(status, sizeof(status), failed ? "%s failed" : "%s",
		 failed ? failed : success);
	table_add_status(table, status, failed);
	table_add_megabytes(table, is_built ? result->size_bytes : 0);
	for (int i = 0; i < PHASE_COUNT; i++)
		table_add_seconds(table,
				  result ? result->clock.duration_ms[i] : 0);
	_cleanup_free_ char *lost =
		is_built ? lost_options_format(&result->lost_options) : NULL;
	table_add(table, lost ? lost : reason);
}

void report_results(const struct build_results *results, struct table *ret)
{
	add_columns(ret);
	for (size_t i = 0; i < results->count; i++) {
		const struct build_result *result = &results->items[i];
		bool is_built = result->outcome == BUILD_BUILT;
		char release[RELEASE_TEXT_SIZE];

		release_format(&result->release, release);
		table_add(ret, release);
		table_add(ret, result->arch);
		add_outcome(ret,
			    is_built ? NULL : phase_names[result->clock.current],
			    "published", is_built, result->error, result);
	}
}

void report_verdicts(const struct verdict_list *verdicts, struct table *ret)
{
	add_columns(ret);
	for (int kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
		for (size_t i = 0; i < verdicts->count; i++) {
			const struct verdict *verdict = &verdicts->items[i];

			if ((int)verdict->kind != kind)
				continue;
			table_add(ret, verdict->planned->release_text);
			table_add(ret, verdict->planned->arch);
			add_outcome(ret, verdict->phase,
				    verdict_kind_names[verdict->kind],
				    verdict->kind == VERDICT_BUILT,
				    verdict->reason, verdict->result);
			if (verdict->kind != VERDICT_FAILED || !verdict->result ||
			    !verdict->result->log || !*verdict->result->log)
				continue;
			_cleanup_free_ char *title = report_title(verdict);
			table_add_fold(ret, title, verdict->result->log);
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
