// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/log_text.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"

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
