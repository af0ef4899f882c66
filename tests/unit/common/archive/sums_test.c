// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define BEGIN "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
#define END                                                                    \
	"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n=BBBB\n-----END PGP SIGNATURE-----\n"
#define LINE_A HEX_A "  linux-6.12.1.tar.xz\n"
#define LINE_B HEX_B "  linux-6.12.tar.xz\n"

static struct error *find(const char *text, const char *name,
			  char digest_ret[static DIGEST_TEXT_SIZE])
{
	return sums_find(text, strlen(text), name, digest_ret);
}

Test(sums, finds_the_line_of_exactly_this_name)
{
	char digest[DIGEST_TEXT_SIZE];

	cr_assert_null(find(BEGIN LINE_A LINE_B END, "linux-6.12.tar.xz", digest));
	cr_expect_str_eq(digest, HEX_B);
	cr_assert_null(
		find(BEGIN LINE_A LINE_B END, "linux-6.12.1.tar.xz", digest));
	cr_expect_str_eq(digest, HEX_A);
}

Test(sums, a_name_that_is_missing_is_not_found)
{
	static const char *const names[] = { "linux-6.12.2.tar.xz",
					     "linux-6.12", "tar.xz", "" };

	for (size_t i = 0; i < array_size(names); i++) {
		char digest[DIGEST_TEXT_SIZE] = "untouched";
		_cleanup_error_ struct error *err =
			find(BEGIN LINE_A LINE_B END, names[i], digest);

		cr_expect(error_is(err, ERROR_NOT_FOUND), "%s", names[i]);
		cr_expect_str_eq(digest, "untouched");
	}
}

Test(sums, refuses_what_is_not_whole_and_in_order)
{
	static const struct {
		const char *what, *text;
	} cases[] = {
		{ "empty", "" },
		{ "a page of HTML", "<html>\n<body>\n" LINE_A "</html>\n" },
		{ "no armour", LINE_A LINE_B },
		{ "no signature", BEGIN LINE_A LINE_B },
		{ "cut in the armour's header",
		  "-----BEGIN PGP SIGNED MESSAGE-----\n" },
		{ "cut in a line", BEGIN LINE_A "bbbb" },
		{ "cut in the signature",
		  BEGIN LINE_A "-----BEGIN PGP SIGNATURE-----\nAAAA\n" },
		{ "no empty line",
		  "-----BEGIN PGP SIGNED MESSAGE-----\n" LINE_A END },
		{ "text before", "hello\n" BEGIN LINE_A END },
		{ "text after", BEGIN LINE_A END "hello\n" },
		{ "a line without newline after", BEGIN LINE_A END "hello" },
		{ "one blank", BEGIN HEX_A " linux-6.12.1.tar.xz\n" END },
		{ "a binary mark", BEGIN HEX_A " *linux-6.12.1.tar.xz\n" END },
		{ "no name", BEGIN HEX_A "  \n" END },
		{ "a blank in the name", BEGIN HEX_A "  linux 6.12\n" END },
		{ "CRLF", BEGIN HEX_A "  linux-6.12.1.tar.xz\r\n" END },
		{ "upper case", BEGIN "A" HEX_A "  linux-6.12.1.tar.xz\n" END },
		{ "a short digest", BEGIN "abcd  linux-6.12.1.tar.xz\n" END },
		{ "not hexadecimal", BEGIN "g" LINE_A END },
		{ "an empty line", BEGIN LINE_A "\n" LINE_B END },
		{ "two digests of it",
		  BEGIN LINE_A HEX_B "  linux-6.12.1.tar.xz\n" END },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		char digest[DIGEST_TEXT_SIZE] = "untouched";
		_cleanup_error_ struct error *err =
			find(cases[i].text, "linux-6.12.1.tar.xz", digest);

		cr_expect(error_is(err, ERROR_OTHER), "%s", cases[i].what);
		cr_expect_str_eq(digest, "untouched", "%s", cases[i].what);
	}
}

Test(sums, a_nul_ends_nothing)
{
	static const char text[] = BEGIN LINE_A "\0" END;
	char digest[DIGEST_TEXT_SIZE];
	_cleanup_error_ struct error *err =
		sums_find(text, sizeof(text) - 1, "linux-6.12.1.tar.xz", digest);

	cr_expect(error_is(err, ERROR_OTHER));
}
