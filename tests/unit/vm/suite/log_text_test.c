// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/log_text.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/string_builder.h"

Test(log_text, what_is_appended_can_be_shown_anywhere)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
		{ "", "" },
		{ "a\tb\n\nc", "a\tb\n\nc" },
		{ "a\r\nb\r\n", "a\nb\n" },
		{ "x\n10%\r50%\r100%\ndone", "x\n100%\ndone" },
		{ "\033[1;31mred\033[0m", "red" },
		{ "\033]0;title\aa\033]0;b\033\\c", "ac" },
		{ "a\033(Bb", "aBb" },
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
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_builder_ struct string_builder sb =
			STRING_BUILDER_INIT;
		_cleanup_free_ char *out = NULL;

		log_text_append(&sb, rows[i].in, strlen(rows[i].in));
		out = string_builder_take(&sb);
		cr_expect_str_eq(out, rows[i].out, "row %zu: '%s'", i, out);
	}
}

Test(log_text, nuls_are_dropped)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	log_text_append(&sb, "a\0b", 3);
	cr_expect_str_eq(sb.text, "ab");
}

static void check_tail(const char *text, size_t lines, size_t limit_bytes,
		       const char *expected)
{
	char path[] = "/tmp/vmtest-log-text-test.XXXXXX";
	_cleanup_free_ char *out = NULL;

	cr_assert_not_null(mkdtemp(path));

	_cleanup_free_ char *file = NULL;

	file = path_join(path, "log");
	cr_assert_null(file_write(file, text, strlen(text)));
	cr_assert_null(log_text_tail(file, lines, limit_bytes, &out));
	cr_expect_str_eq(out, expected);
	cr_assert_null(directory_remove(path));
}

Test(log_text, the_tail_is_the_last_lines)
{
	_cleanup_free_ char *none = NULL;
	_cleanup_free_ char *missing = NULL;

	check_tail("a\nb\nc\n", 2, 100, "b\nc\n");
	check_tail("a\nb\nc", 2, 100, "b\nc\n");
	check_tail("a\nb\nc\n", 5, 100, "a\nb\nc\n");
	check_tail("a\n\n\n", 2, 100, "\n\n");
	check_tail("a\nb\nc\n", 5, 4, "b\nc\n");
	check_tail("", 5, 100, "");
	cr_assert_null(log_text_tail(NULL, 1, 100, &none));
	cr_expect_str_eq(none, "");
	cr_assert_null(log_text_tail("/no/such/file", 1, 100, &missing));
	cr_expect_str_eq(missing, "");
}
