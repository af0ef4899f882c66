// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_token.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

Test(github_token, comes_from_either_variable_and_is_not_repeated)
{
	static const struct {
		const char *first;
		const char *second;
		const char *token;
		bool is_refused;
	} rows[] = {
		{ "", "", NULL, false },
		{ "a", "b", "a", false },
		{ "", "b", "b", false },
		{ "a", NULL, "a", false },
		{ NULL, NULL, NULL, false },
		{ NULL, "b", "b", false },
		{ "pasted \r\n", NULL, "pasted", false },
		{ NULL, "two words", NULL, true },
		{ NULL, "two\nlines", NULL, true },
		{ NULL, "caf\xc3\xa9", NULL, true },
		{ NULL, "\x1b[31m", NULL, true },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		char *token;

		unsetenv("GITHUB_TOKEN");
		unsetenv("GH_TOKEN");
		if (rows[i].first)
			setenv("GITHUB_TOKEN", rows[i].first, 1);
		if (rows[i].second)
			setenv("GH_TOKEN", rows[i].second, 1);

		_cleanup_error_ struct error *err = github_token_read(&token);

		cr_assert_eq(error_is(err, ERROR_USAGE), rows[i].is_refused,
			     "%zu", i);
		if (err)
			cr_expect_str_eq(error_message(err),
					 "GH_TOKEN holds characters that no token has");
		if (rows[i].token)
			cr_expect_str_eq(token, rows[i].token);
		else
			cr_expect_null(token);
		github_token_destroy(token);
	}
}
