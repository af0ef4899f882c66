// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/error.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(error, wrapping_puts_context_outside_and_keeps_the_kind)
{
	_cleanup_error_ struct error *err =
		error_create_os(ENOSPC, "write %s", "a");

	err = error_wrap(err, "publish %s", "b");
	cr_expect_str_eq(error_message(err),
			 "publish b: write a: No space left on device");
	cr_expect(error_is(err, ERROR_OS));
	cr_expect_null(error_wrap(NULL, "success"));
}

Test(error, catching_takes_only_its_kind)
{
	struct error *err = error_create(ERROR_EXISTS, "there");

	cr_expect_not(error_catch(&err, ERROR_NOT_FOUND));
	cr_assert_not_null(err);
	cr_expect(error_catch(&err, ERROR_EXISTS));
	cr_expect_null(err);
	cr_expect_not(error_catch(&err, ERROR_EXISTS));
}

Test(error, a_message_is_one_line_that_no_terminal_obeys)
{
	_cleanup_error_ struct error *err =
		error_create(ERROR_OTHER, "a\n%s", "\033[31mb\x7f");

	// The last one, in UTF-8, is what ESC [ is.
	err = error_wrap(err, "c\td\xc2\x9b\xc3\xa4");
	cr_expect_str_eq(error_message(err), "c?d?\xc3\xa4: a??[31mb?");
	err = error_wrap(err, "\xe2\x80\xae##[error]\x9b");
	cr_expect_str_eq(error_message(err),
			 "?##?error]?: c?d?\xc3\xa4: a??[31mb?");
}
