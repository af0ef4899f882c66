// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/report.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bot/build/build.h"
#include "bot/plan/failure.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/store/store.h"

enum {
	/** More than a series has kernels are of rebuilds. */
	CAUSES_MAX = 25,
	CAUSES_BYTES = ISSUE_BODY_LIMIT / 2,
	/** Of a cause, so many are named. */
	CHANGES_MAX = 20,
};

static const char end_of_body[] =
	"\nEvery run that fails brings this text up to date; the first that finds all kernels of the series in the store closes the issue.\n";

/** The first line, which GitHub does not show; free(). */
static char *format_marker(const struct kernel_version *version)
{
	char series[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format_series(version, series);
	return string_format("<!-- vmtest series %s -->", series);
}

bool issue_is_about(const char *body, const struct kernel_version *version)
{
	_cleanup_free_ char *marker = format_marker(version);

	return strncmp(body, marker, strlen(marker)) == 0;
}

char *issue_title(const struct kernel_version *version)
{
	char series[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format_series(version, series);
	return string_format("Linux %s: builds fail", series);
}

/** Append `The last run` or such, as a link where there is one. */
static void append_run(struct string_builder *sb, const char *text,
		       const char *run_url)
{
	if (run_url)
		string_builder_appendf(sb, "[%s](<%s>)", text, run_url);
	else
		string_builder_append(sb, text);
}

bool verdict_is_of_series(const struct verdict *verdict,
			  const struct kernel_version *version)
{
	return kernel_version_compare_series(&verdict->item->release.version,
					     version) == 0;
}

/** The newest package of the same kind; NULL if the store has none. */
static const struct inventory_item *find_last(const struct inventory *inventory,
					      const struct plan_item *item)
{
	const struct inventory_item *last = NULL;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct inventory_item *other = &inventory->items[i];

		if (strcmp(other->arch, item->arch->name) == 0 &&
		    release_same_kind(&other->release, &item->release) &&
		    (!last ||
		     release_compare(&other->release, &last->release) > 0))
			last = other;
	}
	return last;
}

/** What is new since the last package that worked. */
static void append_changes(struct string_builder *sb, struct issue_facts *facts,
			   const struct verdict *verdict,
			   const struct inventory_item *last)
{
	const struct plan_item *item = verdict->item;
	char from[KERNEL_VERSION_TEXT_SIZE], to[KERNEL_VERSION_TEXT_SIZE];
	_cleanup_string_list_ struct string_list changes = { 0 };

	kernel_version_format(&last->release.version, from);
	kernel_version_format(&item->release.version, to);
	if (strcmp(from, to) != 0)
		string_list_addf(&changes, "v%s..v%s", from, to);
	_cleanup_error_ struct error *err = NULL;
	if (facts->store)
		err = recipe_changes(facts->catalog, item,
				     verdict->result ? verdict->result->compiler
						     : NULL,
				     facts->store, last->asset, &changes);
	if (err)
		log_warning("%s", error_message(err));
	bool is_known = facts->store && !err;
	// For each kernel anew, its patience would be longer than the job's.
	if (error_is(err, ERROR_RETRY))
		facts->store = NULL;
	for (size_t i = 0; i < changes.count && i < CHANGES_MAX; i++) {
		string_builder_append(sb, i ? ", " : " What is new since: ");
		markdown_append_code(sb, changes.items[i]);
	}
	if (changes.count > CHANGES_MAX)
		string_builder_appendf(sb, " and %zu more",
				       changes.count - CHANGES_MAX);
	if (changes.count)
		string_builder_append_char(sb, '.');
	else if (is_known)
		string_builder_append(
			sb,
			" Nothing is new since: source, patches, options and compiler are the same.");
	if (!is_known)
		string_builder_append(sb, " How it was made cannot be read.");
	string_builder_append_char(sb, '\n');
}

/** What failed first, and what was different when it last worked. */
static void append_cause(struct string_builder *sb, struct issue_facts *facts,
			 const struct inventory *inventory,
			 const struct verdict *verdict)
{
	const struct plan_item *item = verdict->item;
	const struct build_result *result = verdict->result;
	_cleanup_free_ char *first =
		result && result->log ? kernel_make_first_error(result->log)
				      : NULL;
	_cleanup_free_ char *title = report_title(item, verdict->phase);

	string_builder_append(sb, "* ");
	string_builder_append_markdown(sb, title);
	string_builder_append(sb, ": ");
	markdown_append_code(sb, first ? first : verdict->reason);
	const struct inventory_item *last = find_last(inventory, item);
	if (!last) {
		string_builder_append(sb,
				      ". No package of its kind has worked so far.\n");
		return;
	}
	char release[RELEASE_TEXT_SIZE], day[DAY_SIZE];
	release_format(&last->release, release);
	day_format((time_t)last->asset->created, 0, day);
	string_builder_append(sb, ". The last that worked is ");
	string_builder_append_markdown(sb, release);
	string_builder_appendf(sb, ", of %s.", day);
	append_changes(sb, facts, verdict, last);
}

static void append_causes(struct string_builder *sb, struct issue_facts *facts,
			  const struct verdict_list *failures)
{
	_cleanup_inventory_ struct inventory inventory = { 0 };

	inventory_read(facts->assets, &inventory);
	for (size_t i = 0; i < failures->count; i++) {
		_cleanup_string_builder_ struct string_builder part = { 0 };

		if (i < CAUSES_MAX)
			append_cause(&part, facts, &inventory,
				     &failures->items[i]);
		if (!part.length || sb->length + part.length > CAUSES_BYTES) {
			string_builder_appendf(sb, "* and %zu more\n",
					       failures->count - i);
			break;
		}
		string_builder_append_n(sb, part.text, part.length);
	}
	string_builder_append_char(sb, '\n');
}

static void append_waiting(struct string_builder *sb,
			   const struct failure_list *failures,
			   const struct kernel_version *version)
{
	bool is_first = true;

	for (size_t i = 0; i < failures->count && i < FAILURES_MAX; i++) {
		const struct failure *failure = &failures->items[i];
		char release[RELEASE_TEXT_SIZE];

		if (!failure_is_of_series(failure, version))
			continue;
		if (is_first)
			string_builder_append(sb,
					      "All of the series that fail:\n\n");
		is_first = false;
		_cleanup_free_ char *text = failure_text(failure);
		release_format(&failure->release, release);
		string_builder_append(sb, "* ");
		string_builder_append_markdown(sb, release);
		string_builder_append(sb, " for ");
		string_builder_append_markdown(sb, failure->arch);
		string_builder_appendf(sb, " %s.\n", text);
	}
	string_builder_append_char(sb, '\n');
}

char *issue_body(struct issue_facts *facts, const struct kernel_version *version)
{
	const struct verdict_list *verdicts = facts->verdicts;
	_cleanup_verdict_list_ struct verdict_list failures = { 0 };
	for (size_t i = 0; i < verdicts->count; i++) {
		const struct verdict *verdict = &verdicts->items[i];

		if (verdict->kind == VERDICT_FAILED &&
		    verdict_is_of_series(verdict, version))
			vector_add(&failures) = *verdict;
	}
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_free_ char *marker = format_marker(version);
	string_builder_appendf(&sb, "%s\n", marker);
	append_run(&sb, "The last run", facts->run_url);
	string_builder_append(&sb, " failed to build these kernels.\n\n");
	append_causes(&sb, facts, &failures);
	append_waiting(&sb, facts->failures, version);
	_cleanup_table_ struct table table = { 0 };
	report_verdicts(&failures, &table);
	table_append_markdown(&sb, &table,
			      ISSUE_BODY_LIMIT - strlen(end_of_body));
	string_builder_append(&sb, end_of_body);
	return string_builder_take(&sb);
}

char *issue_closing(const struct kernel_version *version, const char *run_url)
{
	struct string_builder sb = { 0 };
	char text[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format(version, text);
	append_run(&sb, "This run", run_url);
	string_builder_appendf(&sb, " has found all kernels of %s in the store.",
			       text);
	return string_builder_take(&sb);
}
