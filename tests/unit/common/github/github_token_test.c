// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_token.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

static struct error *read_from(const char *first, const char *second, char **ret)
{
	unsetenv("GITHUB_TOKEN");
	unsetenv("GH_TOKEN");
	if (first)
		setenv("GITHUB_TOKEN", first, 1);
	if (second)
		setenv("GH_TOKEN", second, 1);
	return github_token_read(ret);
}

Test(github_token, comes_from_either_variable)
{
	static const struct {
		const char *first;
		const char *second;
		const char *token;
	} cases[] = {
		{ NULL, NULL, NULL },
		{ "", "", NULL },
		{ "a", "b", "a" },
		{ "", "b", "b" },
		{ NULL, "b", "b" },
		{ "a", NULL, "a" },
		{ "pasted \r\n", NULL, "pasted" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		char *token;

		cr_assert_null(read_from(cases[i].first, cases[i].second, &token));
		if (cases[i].token)
			cr_expect_str_eq(token, cases[i].token);
		else
			cr_expect_null(token);
		github_token_destroy(token);
	}
}

Test(github_token, is_not_repeated_when_it_is_refused)
{
	static const char *const tokens[] = {
		"two words",
		"two\nlines",
		"caf\xc3\xa9",
		"\x1b[31m",
	};

	for (size_t i = 0; i < array_size(tokens); i++) {
		char *token;
		_cleanup_error_ struct error *err =
			read_from(NULL, tokens[i], &token);

		cr_assert(error_is(err, ERROR_USAGE), "%zu", i);
		cr_expect_null(token);
		cr_expect_str_eq(error_message(err),
				 "GH_TOKEN holds characters that no token has");
	}
}
