// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/remote.h"

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

static char digest[DIGEST_TEXT_SIZE];

static struct error *find(const char *text, const char *name)
{
	strcpy(digest, "untouched");
	return sums_find(text, strlen(text), name, digest);
}

Test(tarball, finds_the_line_of_exactly_this_name)
{
	static const struct {
		const char *name, *digest;
	} rows[] = {
		{ "linux-6.12.tar.xz", HEX_B },
		{ "linux-6.12.1.tar.xz", HEX_A },
		{ "linux-6.12.2.tar.xz", NULL },
		{ "linux-6.12", NULL },
		{ "tar.xz", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct error *err = find(BEGIN LINE_A LINE_B END, rows[i].name);

		cr_expect_eq(error_catch(&err, ERROR_NOT_FOUND), !rows[i].digest);
		cr_expect_null(err);
		cr_expect_str_eq(digest,
				 rows[i].digest ? rows[i].digest : "untouched");
	}
}

Test(tarball, refuses_what_is_not_whole_and_in_order)
{
	// clang-format off
	static const struct {
		const char *what, *text;
	} cases[] = {
		{ "empty", "" },
		{ "a page of HTML", "<html>\n<body>\n" LINE_A "</html>\n" },
		{ "no armour", LINE_A LINE_B },
		{ "no signature", BEGIN LINE_A LINE_B },
		{ "cut in the armour's header", "-----BEGIN PGP SIGNED MESSAGE-----\n" },
		{ "cut in a line", BEGIN LINE_A "bbbb" },
		{ "cut in the signature", BEGIN LINE_A "-----BEGIN PGP SIGNATURE-----\nAAAA\n" },
		{ "no empty line", "-----BEGIN PGP SIGNED MESSAGE-----\n" LINE_A END },
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
		{ "two digests of it", BEGIN LINE_A HEX_B "  linux-6.12.1.tar.xz\n" END },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(cases); i++) {
		struct error *err = find(cases[i].text, "linux-6.12.1.tar.xz");

		cr_expect(error_catch(&err, ERROR_OTHER), "%s", cases[i].what);
		cr_expect_str_eq(digest, "untouched", "%s", cases[i].what);
	}
}

Test(tarball, a_nul_ends_nothing)
{
	static const char text[] = BEGIN LINE_A "\0" END;
	struct error *err =
		sums_find(text, sizeof(text) - 1, "linux-6.12.1.tar.xz", digest);

	cr_expect(error_catch(&err, ERROR_OTHER));
}
