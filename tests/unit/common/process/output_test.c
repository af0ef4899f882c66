// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/process.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"

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
	_cleanup_directory_ char *root =
		string_copy("/tmp/vmtest-output-test.XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	_cleanup_free_ char *path = path_join(root, "log");

	for (size_t i = 0; i < array_size(rows); i++) {
		cr_assert_null(
			file_write(path, rows[i].text, strlen(rows[i].text)));
		_cleanup_free_ char *tail =
			output_tail(path, rows[i].lines, rows[i].limit_bytes);
		cr_expect_str_eq(tail, rows[i].tail, "row %zu: %s", i, tail);
	}
}

Test(output, what_is_not_there_is_empty_and_what_cannot_be_read_says_so)
{
	_cleanup_free_ char *none = output_tail(NULL, 1, 100);
	_cleanup_free_ char *missing = output_tail("/no/such/file", 1, 100);
	_cleanup_free_ char *directory = output_tail("/", 1, 100);

	cr_expect_str_eq(none, "");
	cr_expect_str_eq(missing, "");
	cr_expect_str_eq(directory, "read /: Is a directory\n");
}
