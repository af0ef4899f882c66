// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/workflow.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/base/text.h"
#include "tests/unit/files.h"

Test(workflow, an_annotation_is_one_line)
{
	static const struct {
		const char *text, *title, *message;
	} rows[] = {
		{ "", "", "" },
		{ "a b", "a b", "a b" },
		{ "100%: a, b", "100%25%3A a%2C b", "100%25: a, b" },
		{ "a\r\nb", "a%0D%0Ab", "a%0D%0Ab" },
		{ "::error::x", "%3A%3Aerror%3A%3Ax", "::error::x" },
	};
	static const char *const names[] = {
		[WORKFLOW_NOTICE] = "notice",
		[WORKFLOW_WARNING] = "warning",
		[WORKFLOW_ERROR] = "error",
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_builder_ struct string_builder sb = { 0 };
		enum workflow_level level = i % array_size(names);
		_cleanup_free_ char *expected =
			string_format("::%s title=%s::%s\n", names[level],
				      rows[i].title, rows[i].message);

		workflow_append_annotation(&sb, level, rows[i].text,
					   rows[i].text, NULL);
		cr_expect_str_eq(sb.text, expected);
	}
}

Test(workflow, an_annotation_has_its_place)
{
	const struct workflow_place place = { "a, b/x.c", 41 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	workflow_append_annotation(&sb, WORKFLOW_ERROR, "a", "b", &place);
	cr_expect_str_eq(sb.text, "::error file=a%2C b/x.c,line=41,title=a::b\n");
}

Test(workflow, commands_in_a_log_mean_nothing)
{
	static const char begin[] = "::group::a%0Ab\n::stop-commands::";
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_string_builder_ struct string_builder other = { 0 };
	int length = WORKFLOW_TOKEN_SIZE - 1;

	workflow_append_group(&sb, "a\nb", "::error::x");
	workflow_append_group(&other, "a\nb", "::error::x");
	cr_expect_str_neq(sb.text, other.text, "tokens can be known");
	cr_assert_eq(strncmp(sb.text, begin, strlen(begin)), 0, "%s", sb.text);
	const char *token = sb.text + strlen(begin);
	_cleanup_free_ char *expected =
		string_format("%s%.*s\n::error::x\n::%.*s::\n::endgroup::\n",
			      begin, length, token, length, token);
	cr_expect_str_eq(sb.text, expected);
}

Test(workflow, only_true_is_a_workflow)
{
	unsetenv("GITHUB_ACTIONS");
	cr_expect_not(workflow_is_active());
	setenv("GITHUB_ACTIONS", "false", 1);
	cr_expect_not(workflow_is_active());
	setenv("GITHUB_ACTIONS", "true", 1);
	cr_expect(workflow_is_active());
}

TestSuite(workflow_file, .init = enter_tmp, .fini = teardown_tmp);

Test(workflow_file, outputs_are_added_to_those_before)
{
	put_file(".", "file", "");
	setenv("GITHUB_OUTPUT", "file", 1);
	cr_assert_null(workflow_outputs_write("a=1\n"));
	cr_assert_null(workflow_outputs_write("b=2\n"));
	expect_contents(".", "file", "a=1\nb=2\n");
}

Test(workflow_file, a_summary_takes_what_it_has_room_for)
{
	put_file(".", "file", "");
	setenv("GITHUB_STEP_SUMMARY", "file", 1);
	cr_expect_eq(workflow_summary_room(), WORKFLOW_SUMMARY_LIMIT);
	cr_assert_null(workflow_summary_write("first\n"));
	cr_expect_eq(workflow_summary_room(),
		     WORKFLOW_SUMMARY_LIMIT - strlen("first\n"));
	expect_contents(".", "file", "first\n");
	cr_assert_eq(truncate("file", WORKFLOW_SUMMARY_LIMIT - 3), 0);
	cr_assert_null(workflow_summary_write("four"));
	cr_expect_eq(workflow_summary_room(), 3);
	cr_assert_null(workflow_summary_write("abc"));
	cr_expect_eq(workflow_summary_room(), 0);
	cr_assert_null(workflow_summary_write("a"));
	cr_assert_eq(truncate("file", WORKFLOW_SUMMARY_LIMIT + 1), 0);
	cr_expect_eq(workflow_summary_room(), 0);
}

Test(workflow_file, a_summary_goes_nowhere_without_a_workflow)
{
	unsetenv("GITHUB_STEP_SUMMARY");
	cr_expect_eq(workflow_summary_room(), 0);
	cr_expect_null(workflow_summary_write("text"));
	cr_expect_null(workflow_summary_write(""));
}
