// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/workflow_command.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/string_builder.h"

Test(workflow_command, commands_are_escaped)
{
	static const struct {
		const char *text;
		const char *message;
		const char *property;
	} rows[] = {
		{ "", "", "" },
		{ "a b", "a b", "a b" },
		{ "100%: a, b", "100%25: a, b", "100%25%3A a%2C b" },
		{ "a\r\nb", "a%0D%0Ab", "a%0D%0Ab" },
		{ "::error::x", "::error::x", "%3A%3Aerror%3A%3Ax" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_builder_ struct string_builder sb =
			STRING_BUILDER_INIT;
		_cleanup_free_ char *message = NULL;
		_cleanup_free_ char *property = NULL;

		workflow_append_message(&sb, rows[i].text);
		message = string_builder_take(&sb);
		workflow_append_property(&sb, rows[i].text);
		property = string_builder_take(&sb);
		cr_expect_str_eq(message, rows[i].message);
		cr_expect_str_eq(property, rows[i].property);
	}
}

Test(workflow_command, commands_in_a_log_mean_nothing)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	workflow_append_group(&sb, "a\nb", "::error::x", "word");
	cr_expect_str_eq(sb.text, "::group::a%0Ab\n::stop-commands::word\n"
				  "::error::x\n::word::\n::endgroup::\n");
}

Test(workflow_command, an_annotation_is_one_line)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	workflow_append_annotation(&sb, WORKFLOW_NOTICE, "a: b", "50 %, c: d\n");
	workflow_append_annotation(&sb, WORKFLOW_WARNING, "w", "");
	workflow_append_annotation(&sb, WORKFLOW_ERROR, "e", "::x");
	cr_expect_str_eq(sb.text, "::notice title=a%3A b::50 %25, c: d%0A\n"
				  "::warning title=w::\n"
				  "::error title=e::::x\n");
}

Test(workflow_command, a_mask_is_one_line)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	workflow_append_mask(&sb, "a%b\nc");
	cr_expect_str_eq(sb.text, "::add-mask::a%25b%0Ac\n");
}

Test(workflow_command, tokens_differ)
{
	char a[WORKFLOW_TOKEN_SIZE], b[WORKFLOW_TOKEN_SIZE];

	cr_assert_null(workflow_make_token(a));
	cr_assert_null(workflow_make_token(b));
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
