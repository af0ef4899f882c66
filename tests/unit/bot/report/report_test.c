// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/report.h"

#include <criterion/criterion.h>
#include <string.h>

#include "bot/build/build_result.h"
#include "common/base/string_builder.h"
#include "common/base/table.h"
#include "tests/unit/bot/report/made_verdicts.h"

enum {
	COUNT = 12
};

static char *format_text(const struct table *table)
{
	struct string_builder sb = STRING_BUILDER_INIT;

	table_append_text(&sb, table, 0);
	return string_builder_take(&sb);
}

Test(report, failures_come_first)
{
	const struct verdict_list verdicts = make_verdicts(COUNT, "");
	_cleanup_table_ struct table table = { 0 };

	report_verdicts(&verdicts, &table);
	_cleanup_free_ char *text = format_text(&table);
	_cleanup_free_ char *markdown = report_summary(&verdicts, 7, 100000);

	expect_text(text,
		    "architecture  result          size    build\n"
		    "6.12.117-vmtest1.0.1tiny  x86_64        boot failed        -  512.3 s  a | b @user\n");
	expect_text(text, "x86_64        built        83.9 MB  512.3 s\n");
	expect_text(text,
		    "x86_64        skipped            -        -  cancelled\n");
	cr_expect_eq(count_of(text, "\n"), 1 + COUNT);

	expect_text(markdown,
		    "### Kernels: 8 built, 2 failed, 2 skipped, 7 left for the next run\n\n"
		    "| kernel | architecture | result | size | build | |\n");
	expect_text(markdown,
		    "| 6.12.117-vmtest1.0.1tiny | x86\\_64 | **boot failed** | | 512.3 s | ` a \\| b @user ` |\n");
	expect_text(markdown,
		    "| 6.12.117-vmtest1.0.2tiny | x86\\_64 | skipped | | | ` cancelled ` |\n");
	expect_text(markdown,
		    "| 6.1.50-vmtest1.0.7tiny | x86\\_64 | built | 83.9 MB | 512.3 s | |\n");
	cr_expect_lt(strstr(markdown, "boot failed"),
		     strstr(markdown, "skipped |"));
	cr_expect_null(strstr(markdown, "<details>"));
}

Test(report, logs_are_there_as_far_as_there_is_room)
{
	const struct verdict_list verdicts =
		make_verdicts(COUNT, "a\n```\nlog\n");
	_cleanup_free_ char *markdown = report_summary(&verdicts, 0, 100000);

	cr_expect_eq(count_of(markdown, "<details>"), 2);
	expect_text(markdown,
		    "<summary>6.12.117-vmtest1.0.1tiny for x86_64: boot failed</summary>\n\n````\na\n```\nlog\n````\n");

	_cleanup_free_ char *cut =
		report_summary(&verdicts, 0, strlen(markdown) - 1);

	cr_expect_lt(strlen(cut), strlen(markdown));
	cr_expect_eq(count_of(cut, "<details>"), 1);
	expect_text(cut, "There is no room for more.\n");
}

Test(report, says_what_a_kernel_was_built_without)
{
	const struct verdict_list verdicts = make_verdicts(1, "");
	struct build_result result = { .size_bytes = 1000000 };

	string_list_add(&result.lost_options, "CONFIG_A=y");
	verdicts.items[0].result = &result;
	_cleanup_free_ char *markdown = report_summary(&verdicts, 0, 100000);
	expect_text(markdown, "| built | 1.0 MB | ` without CONFIG_A=y ` |\n");
	build_result_deinit(&result);
}

Test(report, an_empty_plan_has_no_table)
{
	const struct verdict_list none = { 0 };
	_cleanup_table_ struct table table = { 0 };

	report_verdicts(&none, &table);
	_cleanup_free_ char *text = format_text(&table);
	_cleanup_free_ char *markdown = report_summary(&none, 0, 1000);
	cr_expect_str_empty(text);
	cr_expect_str_eq(markdown, "### Kernels: 0 built, 0 failed, 0 skipped\n");
}

Test(report, results_of_a_run_say_where_it_failed)
{
	struct build_result items[] = {
		{ .arch = "arm",
		  .outcome = BUILD_BUILT,
		  .size_bytes = 1000000,
		  .duration_ms = { [PHASE_PUBLISH] = 100 } },
		{ .arch = "arm",
		  .outcome = BUILD_FAILED,
		  .phase = PHASE_PUBLISH,
		  .size_bytes = 1000000,
		  .error = (char *)"why" },
	};
	const struct build_results results = { items, array_size(items) };
	_cleanup_table_ struct table table = { 0 };

	report_results(&results, &table);
	_cleanup_free_ char *text = format_text(&table);
	expect_text(text, "published       1.0 MB    0.1 s\n");
	expect_text(text, "publish failed       -        -  why\n");
}
