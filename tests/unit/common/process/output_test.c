// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/process.h"

#include <criterion/criterion.h>

#include "tests/unit/files.h"

Test(output, the_tail_is_the_last_lines)
{
	static const struct {
		const char *text;
		size_t lines, limit_bytes;
		const char *tail;
	} rows[] = {
		{ "a\nb\nc\n", 2, 100, "b\nc\n" },
		{ "a\nb\nc", 2, 100, "b\nc\n" },
		{ "a\nb\nc\n", 5, 100, "a\nb\nc\n" },
		{ "a\n\n\n", 2, 100, "\n\n" },
		{ "a\nb\nc\n", 5, 4, "b\nc\n" },
		{ "", 5, 100, "" },
	};
	_cleanup_free_ char *none = output_tail(NULL, 1, 100);
	_cleanup_free_ char *missing = output_tail("/no/such/file", 1, 100);
	_cleanup_free_ char *directory = output_tail("/", 1, 100);

	enter_tmp();
	for (size_t i = 0; i < array_size(rows); i++) {
		put_file(".", "log", rows[i].text);
		_cleanup_free_ char *tail =
			output_tail("log", rows[i].lines, rows[i].limit_bytes);
		cr_expect_str_eq(tail, rows[i].tail, "row %zu: %s", i, tail);
	}
	teardown_tmp();
	// What is not there is empty, and what cannot be read says so.
	cr_expect_str_eq(none, "");
	cr_expect_str_eq(missing, "");
	cr_expect_str_eq(directory, "read /: Is a directory\n");
}
