// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/text.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/process/process.h"

Test(string_builder, an_empty_one_finishes_as_an_empty_string)
{
	struct string_builder sb = { 0 };
	_cleanup_free_ char *text = NULL;

	text = string_builder_take(&sb);
	cr_expect_str_empty(text);
}

Test(string_builder, a_shell_reads_back_what_was_quoted)
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
		struct string_builder sb = { 0 };
		_cleanup_free_ char *script = NULL, *output = NULL;

		string_builder_append(&sb, "printf '%s.' ");
		string_builder_append_shell(&sb, words[i]);
		script = string_builder_take(&sb);
		cr_assert_null(process_capture(
			&(struct process_options){
				.arguments = (const char *[]){ "sh", "-c",
							       script, NULL },
			},
			1000, &output));
		cr_expect_eq(strlen(output), strlen(words[i]) + 1, "%s", script);
		cr_expect_eq(strncmp(output, words[i], strlen(words[i])), 0,
			     "%s", script);
	}
}

Test(string_builder, markdown_cannot_leave_its_cell)
{
	struct string_builder sb = { 0 };
	_cleanup_free_ char *text = NULL;

	string_builder_append_markdown(&sb, "a|b\n<c> [d](e)");
	text = string_builder_take(&sb);
	cr_expect_str_eq(text, "a\\|b \\<c\\> \\[d\\]\\(e\\)");
}
