// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "tests/unit/files.h"

static char root[] = "/tmp/archive_member_test.XXXXXX";
static char *tarball;

static void setup(void)
{
	static const char *const first[] = { "info", NULL };
	const struct pack_options options = { .first = first };
	_cleanup_free_ char *directory = NULL;

	cr_assert(mkdtemp(root));
	put_file(root, "tree/info", "text");
	put_file(root, "tree/other", "");
	directory = path_join(root, "tree");
	tarball = path_join(root, "t.tar.zst");
	cr_assert_null(pack_directory(directory, tarball, &options));
}

static void teardown(void)
{
	error_destroy(directory_remove(root));
	free(tarball);
}

TestSuite(archive_member, .init = setup, .fini = teardown);

Test(archive_member, gives_what_the_member_holds)
{
	_cleanup_free_ char *text = NULL, *empty = NULL;

	cr_assert_null(archive_member_read(tarball, "./info", 4, &text));
	cr_expect_str_eq(text, "text");
	cr_assert_null(archive_member_read(tarball, "./other", 0, &empty));
	cr_expect_str_empty(empty);
}

Test(archive_member, tells_what_is_not_there_from_what_is_damaged)
{
	_cleanup_free_ char *text = NULL;
	struct error *err;

	err = archive_member_read(tarball, "./none", 4, &text);
	cr_expect(error_is(err, ERROR_NOT_FOUND));
	error_destroy(err);
	err = archive_member_read(tarball, "./info", 3, &text);
	cr_assert(err);
	cr_expect(strstr(error_message(err), "./info has more than 3 bytes"));
	error_destroy(err);
	put_file(root, "t.tar.zst", "no tarball");
	err = archive_member_read(tarball, "./info", 4, &text);
	cr_expect(error_is(err, ERROR_OTHER));
	error_destroy(err);
	cr_expect_null(text);
}
