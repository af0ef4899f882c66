// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/workflow_command.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/string_builder.h"

Test(workflow_command, an_annotation_is_one_line)
{
	static const struct {
		const char *text;
		const char *title;
		const char *message;
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
		_cleanup_string_builder_ struct string_builder sb =
			STRING_BUILDER_INIT;
		enum workflow_level level = i % array_size(names);
		_cleanup_free_ char *expected =
			string_format("::%s title=%s::%s\n", names[level],
				      rows[i].title, rows[i].message);

		workflow_append_annotation(&sb, level, rows[i].text,
					   rows[i].text);
		cr_expect_str_eq(sb.text, expected);
	}
}

Test(workflow_command, commands_in_a_log_mean_nothing)
{
	static const char begin[] = "::group::a%0Ab\n::stop-commands::";
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	workflow_append_group(&sb, "a\nb", "::error::x");
	cr_assert_eq(strncmp(sb.text, begin, strlen(begin)), 0, "%s", sb.text);

	int length = WORKFLOW_TOKEN_SIZE - 1;
	const char *token = sb.text + strlen(begin);
	_cleanup_free_ char *expected =
		string_format("%s%.*s\n::error::x\n::%.*s::\n::endgroup::\n",
			      begin, length, token, length, token);

	cr_expect_str_eq(sb.text, expected);
}

Test(workflow_command, tokens_differ)
{
	char a[WORKFLOW_TOKEN_SIZE], b[WORKFLOW_TOKEN_SIZE];

	workflow_make_token(a);
	workflow_make_token(b);
	cr_expect_eq(strlen(a), WORKFLOW_TOKEN_SIZE - 1);
	cr_expect_str_neq(a, b);
}

Test(workflow_command, only_true_is_a_workflow)
{
	unsetenv("GITHUB_ACTIONS");
	cr_expect_not(workflow_is_active());
	setenv("GITHUB_ACTIONS", "false", 1);
	cr_expect_not(workflow_is_active());
	setenv("GITHUB_ACTIONS", "true", 1);
	cr_expect(workflow_is_active());
}
