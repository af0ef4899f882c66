// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/issue_text.h"

#include <stdio.h>
#include <string.h>

#include "bot/build/build_result.h"
#include "bot/plan/planned.h"
#include "bot/report/finish_report.h"
#include "bot/report/verdict.h"
#include "common/base/error.h"
#include "common/base/markdown.h"
#include "common/base/string_builder.h"
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
	struct string_builder sb = STRING_BUILDER_INIT;
	char series[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format_series(version, series);
	string_builder_appendf(&sb, "Linux %s: kernels cannot be made", series);
	return string_builder_take(&sb);
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

static bool is_shown(const struct verdict *verdict,
		     const struct kernel_version *version)
{
	return verdict->kind == VERDICT_FAILED && is_of_series(verdict, version);
}

static void append_row(struct string_builder *sb, const struct verdict *verdict)
{
	string_builder_append(sb, "| ");
	string_builder_append_markdown(sb, verdict->planned->release_text);
	string_builder_append(sb, " | ");
	string_builder_append_markdown(sb, verdict->planned->arch);
	string_builder_appendf(sb, " | %s | ", verdict->phase);
	markdown_append_code(sb, verdict->reason);
	string_builder_append(sb, " |\n");
}

static void append_log(struct string_builder *sb, const struct verdict *verdict)
{
	_cleanup_string_builder_ struct string_builder title =
		STRING_BUILDER_INIT;

	if (!verdict->result || !verdict->result->log || !*verdict->result->log)
		return;
	finish_report_append_title(&title, verdict);
	markdown_append_details(sb, title.text, verdict->result->log);
}

char *issue_body(const struct verdict_list *verdicts,
		 const struct kernel_version *version, const char *run_url)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	void (*const appends[])(struct string_builder *,
				const struct verdict *) = { append_row,
							    append_log };
	size_t limit = GITHUB_ISSUE_BODY_LIMIT - strlen(end_of_body);

	append_marker(&sb, version);
	string_builder_append_char(&sb, '\n');
	append_run(&sb, "The last run", run_url);
	string_builder_append(
		&sb,
		" could not make these kernels.\n\n| Kernel | Architecture | Failed | Why |\n| --- | --- | --- | --- |\n");
	// All rows, then all logs, as far as they fit.
	for (size_t i = 0; i < array_size(appends); i++) {
		for (size_t j = 0; j < verdicts->count; j++) {
			_cleanup_string_builder_ struct string_builder part =
				STRING_BUILDER_INIT;

			if (!is_shown(&verdicts->items[j], version))
				continue;
			appends[i](&part, &verdicts->items[j]);
			if (!string_builder_append_within(&sb, &part, limit))
				break;
		}
	}
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
