// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/text.h"

#include <criterion/criterion.h>

#include "common/base/error.h"

Test(markdown, code_cannot_leave_its_cell)
{
	static const struct {
		const char *text;
		const char *expected;
	} rows[] = {
		{ "", "" },
		{ "a b", "` a b `" },
		{ "a|b", "` a\\|b `" },
		{ "a\nb\tc\r", "` a b c  `" },
		{ "`", "`` ` ``" },
		{ "a ``b`` @user", "``` a ``b`` @user ```" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_builder_ struct string_builder sb = { 0 };
		_cleanup_free_ char *code = NULL;

		markdown_append_code(&sb, rows[i].text);
		code = string_builder_take(&sb);
		cr_expect_str_eq(code, rows[i].expected);
	}
}

Test(markdown, a_block_is_fenced_by_more_than_it_holds)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	markdown_append_details(&sb, "a", "```\nno line end");
	cr_expect_str_eq(sb.text, "\n<details><summary>a</summary>\n\n"
				  "````\n```\nno line end\n````\n\n</details>\n");
}

Test(markdown, details_have_a_title_without_html)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	markdown_append_details(&sb, "</summary> & *a*\nb", "log\n");
	cr_expect_str_eq(sb.text,
			 "\n<details><summary>&#60;/summary&#62; &#38; *a* b</summary>\n\n"
			 "```\nlog\n```\n\n</details>\n");
}
