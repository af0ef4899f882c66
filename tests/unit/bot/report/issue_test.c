// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/report.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/github/github.h"
#include "common/kernel/release.h"
#include "tests/unit/bot/report/made_verdicts.h"

enum {
	COUNT = 600
};

static const struct kernel_version v6_12 = { 6, 12, 117, 0 };
static const struct kernel_version v6_1 = { 6, 1, 50, 0 };

Test(issue, an_issue_is_known_by_its_first_line)
{
	const struct verdict_list verdicts = make_verdicts(COUNT, "");
	_cleanup_free_ char *body = NULL;

	body = issue_body(&verdicts, &v6_12, NULL);
	cr_expect(issue_is_about(body, &v6_12));
	cr_expect_not(issue_is_about(body, &v6_1));
	cr_expect_not(issue_is_about("", &v6_12));
	cr_expect_not(issue_is_about("I see <!-- vmtest series 6.12 -->", &v6_12));
	// GitHub's editor ends lines as it likes.
	cr_expect(issue_is_about("<!-- vmtest series 6.12 -->\r\nx", &v6_12));
}

Test(issue, a_body_has_the_failures_of_its_series)
{
	struct verdict_list verdicts = make_verdicts(COUNT, "the log\n");
	_cleanup_free_ char *title = NULL, *body = NULL;

	verdicts.count = 6;
	title = issue_title(&v6_12);
	cr_expect_str_eq(title, "Linux 6.12: kernels cannot be made");
	body = issue_body(&verdicts, &v6_12, "https://g/o/r/actions/runs/1");
	expect_text(body,
		    "[The last run](<https://g/o/r/actions/runs/1>) could not");
	expect_text(body,
		    "| 6.12.117-vmtest1.0.1tiny | x86\\_64 | **boot failed** | 512.3 s | ` a \\| b @user ` |\n");
	cr_expect_eq(count_of(body, "| **boot failed** |"), 2);
	cr_expect_eq(count_of(body, "<details>"), 2);
	cr_expect_null(strstr(body, "1.0.2tiny"));
	cr_expect_null(strstr(body, "6.1.50"));
}

Test(issue, a_body_is_never_longer_than_github_takes)
{
	static char log[16384];
	struct verdict_list verdicts;
	_cleanup_free_ char *body = NULL;

	for (size_t i = 0; i < sizeof(log) - 1; i++)
		log[i] = i % 80 ? 'x' : '\n';
	verdicts = make_verdicts(COUNT, log);
	body = issue_body(&verdicts, &v6_12, NULL);
	cr_expect_leq(strlen(body), GITHUB_ISSUE_BODY_LIMIT);
	cr_expect_eq(count_of(body, "| **boot failed** |"), 100);
	cr_expect_gt(count_of(body, "<details>"), 1);
	cr_expect_eq(count_of(body, "<details>"), count_of(body, "</details>"));
	expect_text(body, "closes the issue.\n");
}

Test(issue, the_end_names_what_was_made)
{
	const struct verdict_list verdicts = make_verdicts(COUNT, "");
	_cleanup_free_ char *text = NULL;

	text = issue_closing(&verdicts, &v6_1, NULL);
	expect_text(text,
		    "This run has made all of them: 6.1.50-vmtest1.0.301tiny");
	cr_expect_null(strstr(text, "6.12"));
}
