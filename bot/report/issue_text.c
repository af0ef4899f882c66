// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/issue_text.h"

#include <stdio.h>
#include <string.h>

#include "bot/plan/planned.h"
#include "bot/report/report.h"
#include "bot/report/verdict.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/table.h"
#include "common/github/github_issues.h"
#include "common/kernel/version.h"

static const char end_of_body[] =
	"\nEvery run that fails brings this text up to date; the first that makes all kernels of the series closes the issue.\n";

static void append_marker(struct string_builder *sb,
			  const struct kernel_version *version)
{
	char series[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format_series(version, series);
	string_builder_appendf(sb, "<!-- vmtest series %s -->", series);
}

bool issue_is_about(const char *body, const struct kernel_version *version)
{
	_cleanup_string_builder_ struct string_builder marker =
		STRING_BUILDER_INIT;

	append_marker(&marker, version);
	return strncmp(body, marker.text, marker.length) == 0;
}

char *issue_title(const struct kernel_version *version)
{
	char series[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format_series(version, series);
	return string_format("Linux %s: kernels cannot be made", series);
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

static bool is_of_series(const struct verdict *verdict,
			 const struct kernel_version *version)
{
	return kernel_version_compare_series(&verdict->planned->release.version,
					     version) == 0;
}

char *issue_body(const struct verdict_list *verdicts,
		 const struct kernel_version *version, const char *run_url)
{
	_cleanup_verdict_list_ struct verdict_list failures = { 0 };
	_cleanup_table_ struct table table = { 0 };
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	for (size_t i = 0; i < verdicts->count; i++) {
		const struct verdict *verdict = &verdicts->items[i];

		if (verdict->kind == VERDICT_FAILED &&
		    is_of_series(verdict, version))
			vector_add(&failures) = *verdict;
	}
	append_marker(&sb, version);
	string_builder_append_char(&sb, '\n');
	append_run(&sb, "The last run", run_url);
	string_builder_append(&sb, " could not make these kernels.\n\n");
	report_verdicts(&failures, &table);
	table_append_markdown(&sb, &table,
			      GITHUB_ISSUE_BODY_LIMIT - strlen(end_of_body));
	string_builder_append(&sb, end_of_body);
	return string_builder_take(&sb);
}

char *issue_closing(const struct verdict_list *verdicts,
		    const struct kernel_version *version, const char *run_url)
{
	struct string_builder sb = STRING_BUILDER_INIT;
	const char *separator = " ";

	append_run(&sb, "This run", run_url);
	string_builder_append(&sb, " has made all of them:");
	for (size_t i = 0; i < verdicts->count; i++) {
		const struct verdict *verdict = &verdicts->items[i];

		if (!is_of_series(verdict, version))
			continue;
		string_builder_append(&sb, separator);
		string_builder_append_markdown(&sb,
					       verdict->planned->release_text);
		string_builder_append(&sb, " for ");
		string_builder_append_markdown(&sb, verdict->planned->arch);
		separator = ", ";
	}
	string_builder_append_char(&sb, '.');
	return string_builder_take(&sb);
}
