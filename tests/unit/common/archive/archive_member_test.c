// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <criterion/criterion.h>

#include "tests/unit/errors.h"
#include "tests/unit/files.h"

#define TARBALL "t.tar.zst"

TestSuite(archive_member, .init = enter_tmp, .fini = teardown_tmp);

Test(archive_member, is_whole_or_missing_or_damaged)
{
	static const char *const first[] = { "info", NULL };
	const struct pack_options options = { .first = first };
	_cleanup_free_ char *text = NULL, *empty = NULL, *none = NULL;

	put_file("tree", "info", "text");
	put_file("tree", "other", "");
	cr_assert_null(pack_directory("tree", TARBALL, &options));
	cr_assert_null(archive_member_read(TARBALL, "./info", 4, &text));
	cr_expect_str_eq(text, "text");
	cr_assert_null(archive_member_read(TARBALL, "./other", 0, &empty));
	cr_expect_str_empty(empty);
	expect_kind(archive_member_read(TARBALL, "./none", 4, &none),
		    ERROR_NOT_FOUND, "./none");
	expect_failure(archive_member_read(TARBALL, "./info", 3, &none),
		       "./info has more than 3 bytes");
	put_file(".", TARBALL, "no tarball");
	expect_kind(archive_member_read(TARBALL, "./info", 4, &none),
		    ERROR_OTHER, TARBALL);
	cr_expect_null(none);
}
