// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_sessions.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/text.h"

Test(session_request, all_of_it_is_read_back)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_session_request_ struct session_request from = {
		.user = "a:b",
		.here = "/x\ny=\xff",
		.has_stdin = "1",
		.has_stderr = "stdout",
	};
	_cleanup_session_request_ struct session_request to = { 0 };

	string_list_add(&from.environment, "A=");
	string_list_add(&from.environment, "B=user=c");
	string_list_add(&from.command, "");
	string_list_add(&from.command, "arg=x");
	session_request_format(&from, &sb);
	cr_assert_str_eq(sb.text, "run");
	cr_assert_null(session_request_parse(sb.text + 4, sb.length - 4, &to));
	cr_expect_str_eq(to.user, from.user);
	cr_expect_str_eq(to.here, from.here);
	cr_expect_str_eq(to.has_stdin, "1");
	cr_expect_null(to.has_stdout);
	cr_expect_str_eq(to.has_stderr, "stdout");
	cr_expect_null(to.directory);
	cr_assert_eq(to.environment.count, 2);
	cr_expect_str_eq(to.environment.items[1], "B=user=c");
	cr_assert_eq(to.command.count, 2);
	cr_expect_str_eq(to.command.items[0], "");
	cr_expect_str_eq(to.command.items[1], "arg=x");
}

Test(session_request, what_is_none_is_refused)
{
	static const char *const rows[] = { "", "user=a", "argx",
					    "arg=a\0new=1", "arg=a\0rows=1" };
	static const size_t sizes[] = { 0, 7, 5, 12, 13 };

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_session_request_ struct session_request to = { 0 };
		_cleanup_error_ struct error *err =
			session_request_parse(rows[i], sizes[i], &to);

		cr_expect_not_null(err, "%zu", i);
	}
}
