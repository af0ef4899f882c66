// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tests/unit/errors.h"

#include <string.h>

#include <criterion/criterion.h>

void expect_success(struct error *err)
{
	cr_assert_null(err, "%s", err ? error_message(err) : "");
}

void expect_failure(struct error *err, const char *words)
{
	cr_assert(err, "no error: %s", words);
	const char *message = error_message(err);
	cr_expect(strstr(message, words), "no '%s' in: %s", words, message);
	cr_expect_null(strchr(message, '\n'), "%s", message);
	error_destroy(err);
}

void expect_kind(struct error *err, enum error_kind kind, const char *words)
{
	cr_expect(error_is(err, kind), "%s", words);
	expect_failure(err, words);
}
