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

Test(github_url, leads_to_the_api_or_what_is_named_after_it)
{
	static const struct {
		const char *api, *url, *label;
		bool is_refused;
	} rows[] = {
		// clang-format off
		{ "https://api.github.com", "https://uploads.github.com/repos/o/r/releases/1/assets", "uploads.", false },
		{ "https://api.github.com", "https://API.github.com/x", "uploads.", false },
		{ "https://api.github.com", "https://github.com/o/r/releases/download/t/a", "", false },
		{ "https://api.me.ghe.com", "https://uploads.me.ghe.com/x", "uploads.", false },
		{ "https://ghe.example/api/v3", "https://ghe.example/api/uploads/x", "uploads.", false },
		{ "http://127.0.0.1:8080", "http://127.0.0.1:8081/x", "uploads.", false },
		{ "http://127.0.0.1:8080", "https://127.0.0.1/x", "uploads.", false },
		{ "https://api.github.com", "http://uploads.github.com/x", "uploads.", true },
		{ "https://api.github.com", "https://uploads.github.com.evil.example/x", "uploads.", true },
		{ "https://api.github.com", "https://uploads.github.com@evil.example/x", "uploads.", true },
		{ "https://api.github.com", "https://me:secret@uploads.github.com/x", "uploads.", true },
		{ "https://api.github.com", "https://evil.example/uploads.github.com", "uploads.", true },
		{ "https://api.github.com", "https://github.com/x", "uploads.", true },
		{ "https://api.github.com", "https://uploads.github.com/x", "", true },
		{ "https://ghe.example/api/v3", "https://uploads.ghe.example/x", "uploads.", true },
		{ "http://127.0.0.1:8080", "http://localhost:8080/x", "uploads.", true },
		{ "https://api.github.com", "https://", "uploads.", true },
		// clang-format on
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct github github = { .api_url = (char *)rows[i].api };

		expect_outcome(github_check_url(&github, "upload_url",
						rows[i].url, rows[i].label),
			       rows[i].is_refused ? "upload_url: " : NULL);
	}
}
