// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/finish_report.h"

#include <criterion/criterion.h>
#include <string.h>

#include "bot/build/build_result.h"
#include "common/base/error.h"
#include "tests/unit/bot/report/made_verdicts.h"

enum {
	COUNT = 12
};

Test(finish_report, failures_come_first)
{
	const struct verdict_list verdicts = make_verdicts(COUNT, "");
	_cleanup_free_ char *text = NULL, *markdown = NULL;

	cr_assert_null(finish_report_text(&verdicts, &text));
	cr_expect_eq(strncmp(text, "failed     6.12.117-vmtest1.0.1tiny ", 36),
		     0, "%s", text);
	expect_text(text, "x86_64   boot: a | b @user\n");
	expect_text(text, "x86_64   83.9 MB\n");
	expect_text(text, "x86_64   cancelled\n");
	cr_expect_eq(count_of(text, "\n"), COUNT);

	cr_assert_null(finish_report_markdown(&verdicts, 7, 100000, &markdown));
	expect_text(markdown,
		    "### Kernels: 8 built, 2 failed, 2 skipped, 7 left for the next run\n");
	expect_text(markdown,
		    "| Kernel | Architecture | Result | Size | source | patch | config | build | package | boot | |\n");
	expect_text(markdown,
		    "| 6.12.117-vmtest1.0.1tiny | x86\\_64 | **boot failed** | | | | | 512.3 s | | | ` a \\| b @user ` |\n");
	expect_text(markdown,
		    "| 6.12.117-vmtest1.0.2tiny | x86\\_64 | skipped | | | | | | | | ` cancelled ` |\n");
	expect_text(markdown,
		    "| 6.1.50-vmtest1.0.7tiny | x86\\_64 | built | 83.9 MB | | | | 512.3 s | | | |\n");
	cr_expect_lt(strstr(markdown, "boot failed"),
		     strstr(markdown, "skipped |"));
	cr_expect_null(strstr(markdown, "<details>"));
}

Test(finish_report, logs_are_there_as_far_as_there_is_room)
{
	const struct verdict_list verdicts =
		make_verdicts(COUNT, "a\n```\nlog\n");
	_cleanup_free_ char *markdown = NULL;

	cr_assert_null(finish_report_markdown(&verdicts, 0, 100000, &markdown));
	cr_expect_eq(count_of(markdown, "<details>"), 2);
	expect_text(markdown,
		    "<summary>6.12.117-vmtest1.0.1tiny for x86_64: boot failed</summary>\n\n````\na\n```\nlog\n````\n");
	cr_expect_null(strstr(markdown, "no room"));
	for (size_t limit = 0; limit < strlen(markdown); limit += 7) {
		_cleanup_free_ char *cut = NULL;

		cr_assert_null(finish_report_markdown(&verdicts, 0, limit, &cut));
		cr_expect_leq(strlen(cut), limit);
		cr_expect_eq(count_of(cut, "<details>"),
			     count_of(cut, "</details>"));
		cr_expect_eq(count_of(cut, "no room"), limit > 28);
	}
}

Test(finish_report, says_what_a_kernel_was_built_without)
{
	const struct verdict_list verdicts = make_verdicts(1, "");
	struct build_result result = { .size_bytes = 1000000 };
	_cleanup_free_ char *text = NULL, *markdown = NULL;

	string_list_add(&result.lost_options, "CONFIG_A=y");
	verdicts.items[0].result = &result;
	cr_assert_eq(verdicts.items[0].kind, VERDICT_BUILT);
	cr_assert_null(finish_report_text(&verdicts, &text));
	expect_text(text, " 1.0 MB, without CONFIG_A=y\n");
	cr_assert_null(finish_report_markdown(&verdicts, 0, 100000, &markdown));
	expect_text(markdown, "| ` without CONFIG_A=y ` |\n");
	build_result_deinit(&result);
}

Test(finish_report, an_empty_plan_has_no_table)
{
	const struct verdict_list none = { 0 };
	_cleanup_free_ char *text = NULL, *markdown = NULL;

	cr_assert_null(finish_report_text(&none, &text));
	cr_expect_str_empty(text);
	cr_assert_null(finish_report_markdown(&none, 0, 1000, &markdown));
	cr_expect_str_eq(markdown, "### Kernels: 0 built, 0 failed, 0 skipped\n");
}
