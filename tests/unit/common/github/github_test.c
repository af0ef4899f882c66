// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/errors.h"

Test(github_token, comes_from_either_variable_and_is_not_repeated)
{
	static const struct {
		const char *first, *second, *token;
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
		struct error *err = github_token_read(&token);

		if (rows[i].is_refused)
			expect_kind(err, ERROR_USAGE,
				    "GH_TOKEN holds characters that no token has");
		else
			expect_success(err);
		cr_expect_str_eq(token ? token : "none",
				 rows[i].token ? rows[i].token : "none");
		github_token_destroy(token);
	}
}
