// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_seal.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/store/store.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SEAL "<!-- vmtest-assets " A " " B " -->"

static const struct github_seal seal = { A, B };

Test(github_seal, is_read_where_it_was_put_on)
{
	_cleanup_free_ char *body = NULL;
	struct github_seal read;

	cr_assert_null(github_seal_put_on("# Kernels\n", &seal, &body));
	cr_expect_str_eq(body, "# Kernels\n\n" SEAL "\n");
	cr_assert(github_seal_read(body, &read));
	cr_expect_str_eq(read.assets, A);
	cr_expect_str_eq(read.shown, B);
	cr_expect_lt(strlen(body) - strlen("# Kernels\n"), GITHUB_SEAL_SIZE);
}

Test(github_seal, comes_off_whole_and_alone)
{
	static const struct {
		const char *body;
		const char *text;
	} cases[] = {
		{ "", "" },
		{ "text", "text" },
		{ "text\n" SEAL, "text\n" },
		{ "a " SEAL " b\r\n" SEAL, "a  b\r\n" },
		{ "<!-- vmtest-assets " SEAL, "<!-- vmtest-assets " },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_free_ char *text = NULL;
		struct github_seal read;

		cr_assert_null(github_seal_take_off(cases[i].body, &text));
		cr_expect_str_eq(text, cases[i].text);
		cr_expect_not(github_seal_read(text, &read));
	}
}

Test(github_seal, is_nothing_else)
{
	static const char *const bodies[] = {
		"",
		"<!-- vmtest-assets",
		"<!-- vmtest-assets " A " " B,
		"<!-- vmtest-assets " A " " B "-->",
		"<!-- vmtest-assets " A B " -->",
		"<!-- vmtest-assets " A "  " B " -->",
		"<!-- vmtest-assets " A "0 " B " -->",
		"<!-- vmtest-assets G" A " " B " -->",
		"<!-- vmtest-assets  " A " -->",
	};
	struct github_seal read;

	for (size_t i = 0; i < array_size(bodies); i++)
		cr_expect_not(github_seal_read(bodies[i], &read), "%s",
			      bodies[i]);
}

static void digest_of(struct asset *items, size_t count, char *digest)
{
	struct asset_list list = { items, count };

	cr_assert_null(github_seal_digest(&list, digest));
}

Test(github_seal, tells_lists_apart_whatever_their_order)
{
	struct asset items[] = {
		{ .name = (char *)"a", .id = 1, .size_bytes = 5, .digest = A },
		{ .name = (char *)"b", .id = 2, .size_bytes = 5 },
	};
	struct asset reversed[] = { items[1], items[0] };
	char digest[DIGEST_TEXT_SIZE], other[DIGEST_TEXT_SIZE];

	digest_of(items, 2, digest);
	digest_of(reversed, 2, other);
	cr_expect_str_eq(digest, other);
	digest_of(items, 1, other);
	cr_expect_str_neq(digest, other);
	items[1].id = 3;
	digest_of(items, 2, other);
	cr_expect_str_neq(digest, other);
	items[1].id = 2;
	strcpy(items[1].digest, B);
	digest_of(items, 2, other);
	cr_expect_str_neq(digest, other);
}
