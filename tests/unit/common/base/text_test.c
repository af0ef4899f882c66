// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/text.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/process/process.h"

Test(text, urls_lose_their_users_and_passwords)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ "https://host/a@b", "https://host/a@b" },
		{ "http://me:s3cret@host:80/x", "http://host:80/x" },
		{ "GET ssh://me@host: 'http://a:p@ss@b', c@d",
		  "GET ssh://host: 'http://b', c@d" },
		{ "http://host?a@b http://host#a@b\nx@y",
		  "http://host?a@b http://host#a@b\nx@y" },
		{ "github:o/r@t and me@host:x", "github:o/r@t and me@host:x" },
		{ "http://me@", "http://" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *text = string_copy(rows[i].in);

		cr_expect_str_eq(text_hide_credentials(text), rows[i].out);
	}
}

Test(text, many_credentials_are_hidden, .timeout = 120)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_string_builder_ struct string_builder expected = { 0 };

	for (size_t i = 0; i < 500000; i++) {
		string_builder_append(&sb, i % 2 ? "x://u:p@h/" : "y://@");
		string_builder_append(&expected, i % 2 ? "x://h/" : "y://");
	}
	cr_expect_str_eq(text_hide_credentials(sb.text), expected.text);
}

Test(text, what_is_appended_can_be_shown_anywhere)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ "a\tb\n\nc", "a\tb\n\nc" },
		{ "a\r\nb\r\n", "a\nb\n" },
		{ "x\n10%\r50%\r100%\ndone", "x\n100%\ndone" },
		{ "\033[1;31mred\033[0m", "red" },
		{ "\033]0;title\aa\033]0;b\033\\c", "ac" },
		{ "\033P1q#0\033\\a\033_x\ab", "ab" },
		{ "a\033(Bb\033cc\033=d", "abcd" },
		{ "a\033\033[1mb\033(", "ab" },
		{ "a\033", "a" },
		{ "a\033[", "a" },
		{ "a\b\v\f\001\x7f"
		  "b",
		  "ab" },
		{ "\xc2\x9b"
		  "31m",
		  "31m" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7",
		  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7" },
		{ "a\xff"
		  "b",
		  "a\xef\xbf\xbd"
		  "b" },
		// Overlong, a surrogate, too large, cut off.
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf4\x90\x80\x80",
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe2\x80\xaetxt\xe2\x81\xa6.exe", "txt.exe" },
		{ "a\n::error::b\n \t::add-mask::c",
		  "a\n?:error::b\n \t?:add-mask::c" },
		{ "\033[1m::error::a ##[\033[0mgroup]##\033c[error]",
		  "?:error::a ##?group]##?error]" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct string_builder sb = { 0 };

		text_append_plain(&sb, rows[i].in, strlen(rows[i].in));
		_cleanup_free_ char *out = string_builder_take(&sb);
		cr_expect_str_eq(out, rows[i].out, "row %zu: '%s'", i, out);
	}

	_cleanup_string_builder_ struct string_builder sb = { 0 };

	text_append_plain(&sb, "a\0b", 3);
	cr_expect_str_eq(sb.text, "ab");
}

Test(text, no_terminal_or_workflow_obeys_what_is_shown)
{
	static const struct {
		const char *in, *line, *lines;
	} rows[] = {
		{ "", "", "" },
		{ "a\tb\nc", "a b c", "a\tb\nc" },
		{ "\033[2Ja\b\r\x7f", " [2Ja   ", "?[2Ja???" },
		{ "\xc2\x9b"
		  "0m\x9b"
		  "1m\xc2\x85",
		  " 0m 1m ", "?0m?1m?" },
		// The same bytes are a part of characters, or not of ISO 8859's
		// control characters.
		{ "\xe2\x9c\x93 \xe9t\xe9", "\xe2\x9c\x93 \xe9t\xe9",
		  "\xe2\x9c\x93 \xe9t\xe9" },
		{ "a\xe2\x80\xaatxt\xe2\x80\xaez\xe2\x81\xa6y\xe2\x81\xa9",
		  "a txt z y ", "a?txt?z?y?" },
		{ "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa",
		  "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa",
		  "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa" },
		{ "::error::x\n\n \xc2\xa0::Warning::\n::1 a::b",
		  "?:error::x   \xc2\xa0::Warning:: ::1 a::b",
		  "?:error::x\n\n \xc2\xa0?:Warning::\n::1 a::b" },
		{ "a ##[error]###[x", "a ##?error]###?x", "a ##?error]###?x" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *line = string_copy(rows[i].in);
		_cleanup_free_ char *lines = string_copy(rows[i].in);

		cr_expect_str_eq(text_make_line(line, ' '), rows[i].line);
		cr_expect_str_eq(text_make_safe(lines), rows[i].lines);
	}
}

Test(text, any_bytes_become_a_string_of_json)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ "/tmp/it's \"x\", #1%\\\n", "/tmp/it's \"x\", #1%\\\n" },
		{ "\xc3\xa9\xe2\x82\xac", "\xc3\xa9\xe2\x82\xac" },
		{ "/\xe9t\xe9", "/\xef\xbf\xbdt\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		json_t *json = text_json(rows[i].in);

		cr_assert(json_is_string(json), "row %zu", i);
		cr_expect_str_eq(json_string_value(json), rows[i].out,
				 "row %zu", i);
		json_decref(json);
	}
	cr_expect(json_is_null(text_json(NULL)));
}

Test(text, code_in_markdown_cannot_leave_its_cell)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "", "" },
		{ "a b", "` a b `" },
		{ "a|b", "` a\\|b `" },
		{ "a\nb\tc\r", "` a b c  `" },
		{ "`", "`` ` ``" },
		{ "a ``b`` @user", "``` a ``b`` @user ```" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct string_builder sb = { 0 };

		markdown_append_code(&sb, rows[i].text);
		_cleanup_free_ char *code = string_builder_take(&sb);
		cr_expect_str_eq(code, rows[i].expected);
	}
}

Test(text, details_have_a_title_without_html_and_a_long_fence)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	markdown_append_details(&sb, "</summary> & *a*\nb", "log\n");
	markdown_append_details(&sb, "a", "```\nno line end");
	cr_expect_str_eq(sb.text,
			 "\n<details><summary>&#60;/summary&#62; &#38; *a* b</summary>\n\n"
			 "```\nlog\n```\n\n</details>\n"
			 "\n<details><summary>a</summary>\n\n"
			 "````\n```\nno line end\n````\n\n</details>\n");
}

Test(text, a_shell_reads_back_what_was_quoted)
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
		const char *arguments[] = { "sh", "-c", script.text, NULL };
		cr_assert_null(process_capture(
			&(struct process_options){ .arguments = arguments },
			1000, &output));
		cr_expect_str_eq(output, words[i], "%s", script.text);
	}
}

Test(text, markdown_cannot_leave_its_cell)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	string_builder_append_markdown(&sb, "a|b\n<c> [d](e) &lt;");
	cr_expect_str_eq(sb.text, "a\\|b \\<c\\> \\[d\\]\\(e\\) \\&lt;");
}

Test(text, an_amount_is_a_number_and_its_unit)
{
	static const struct {
		const char *text;
		char implied;
		// 0 if it is none.
		uint64_t amount;
	} rows[] = {
		{ "512M", 0, 512 << 20 },
		{ "1G", 'M', 1 << 30 },
		{ "2T", 0, 2ULL << 40 },
		{ "512", 'M', 512 << 20 },
		{ "1048576T", 0, 1ULL << 60 },
		{ "1048577T", 0, 0 },
		{ "99999999999999999999M", 0, 0 },
		{ "512", 0, 0 },
		{ "", 'M', 0 },
		{ "M", 0, 0 },
		{ "-1M", 0, 0 },
		{ "+1M", 0, 0 },
		{ " 1M", 0, 0 },
		{ "1 M", 0, 0 },
		{ "1m", 0, 0 },
		{ "1MB", 0, 0 },
		{ "1.5G", 0, 0 },
		{ "0x1M", 0, 0 },
		{ "1K", 'M', 0 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		uint64_t amount = 0;

		cr_expect_eq(amount_parse(rows[i].text, size_units,
					  rows[i].implied, &amount),
			     rows[i].amount != 0, "%s", rows[i].text);
		cr_expect_eq(amount, rows[i].amount, "%s", rows[i].text);
	}
}
