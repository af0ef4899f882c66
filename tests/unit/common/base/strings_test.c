// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/text.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/process/process.h"

Test(strings, an_empty_one_is_taken_as_an_empty_string)
{
	struct string_builder sb = { 0 };
	_cleanup_free_ char *text = string_builder_take(&sb);

	cr_expect_str_empty(text);
}

Test(strings, a_shell_reads_back_what_was_quoted)
{
	static const char *const words[] = {
		"",
		"plain",
		"two words",
		"it's",
		"$HOME `id` \\ \"x\"",
		"a\nb",
		"*?[a]",
		"-n",
		"~",
		"#x",
		"\xff\x01;&|<>()",
	};

	for (size_t i = 0; i < array_size(words); i++) {
		_cleanup_string_builder_ struct string_builder script = { 0 };
		_cleanup_free_ char *output = NULL;

		string_builder_append(&script, "printf '%s\\n' ");
		string_builder_append_shell(&script, words[i]);
		cr_assert_null(process_capture(
			&(struct process_options){
				.arguments = (const char *[]){ "sh", "-c",
							       script.text,
							       NULL } },
			1000, &output));
		cr_expect_str_eq(output, words[i], "%s", script.text);
	}
}

Test(strings, markdown_cannot_leave_its_cell)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	string_builder_append_markdown(&sb, "a|b\n<c> [d](e)");
	cr_expect_str_eq(sb.text, "a\\|b \\<c\\> \\[d\\]\\(e\\)");
}
