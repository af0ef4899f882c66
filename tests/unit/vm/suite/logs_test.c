// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/logs.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"

static char root[] = "/tmp/vmtest-logs-test.XXXXXX";

static void setup(void)
{
	cr_assert_not_null(mkdtemp(root));
}

static void teardown(void)
{
	cr_assert_null(directory_remove(root));
}

TestSuite(logs, .init = setup, .fini = teardown);

Test(logs, the_tail_is_the_last_lines)
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
	_cleanup_free_ char *path = path_join(root, "log");

	for (size_t i = 0; i < array_size(rows); i++) {
		cr_assert_null(
			file_write(path, rows[i].text, strlen(rows[i].text)));
		_cleanup_free_ char *tail =
			logs_tail(path, rows[i].lines, rows[i].limit_bytes);
		cr_expect_str_eq(tail, rows[i].tail, "row %zu: %s", i, tail);
	}
}

Test(logs, what_is_not_there_is_empty_and_what_cannot_be_read_says_so)
{
	_cleanup_free_ char *none = logs_tail(NULL, 1, 100);
	_cleanup_free_ char *missing = logs_tail("/no/such/file", 1, 100);
	_cleanup_free_ char *directory = logs_tail("/", 1, 100);

	cr_expect_str_eq(none, "");
	cr_expect_str_eq(missing, "");
	cr_expect_str_eq(directory, "read /: Is a directory\n");
}

Test(logs, the_newest_are_kept)
{
	static const char *const names[] = {
		"20260101-120000-1",
		"20260102-120000-1",
		"my-own",
	};
	_cleanup_free_ char *path = NULL;

	for (size_t i = 0; i < array_size(names); i++) {
		_cleanup_free_ char *old = path_join(root, names[i]);

		cr_assert_null(directory_create(old));
	}
	cr_assert_null(logs_create(root, 2, &path));
	for (size_t i = 0; i < array_size(names); i++) {
		_cleanup_free_ char *old = path_join(root, names[i]);

		cr_expect_eq(directory_exists(old), i > 0, "%s", names[i]);
	}
	cr_expect(directory_exists(path));
}
