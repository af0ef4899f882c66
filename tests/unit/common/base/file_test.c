// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"

static char root[] = "/tmp/file_test.XXXXXX";

static void setup(void)
{
	cr_assert(mkdtemp(root));
}

static void teardown(void)
{
	error_destroy(directory_remove(root));
}

TestSuite(file, .init = setup, .fini = teardown);

static char *in_root(const char *name)
{
	return path_join(root, name);
}

Test(file, writes_whole_and_reads_back)
{
	_cleanup_free_ char *path = in_root("f"), *text = NULL;
	_cleanup_error_ struct error *err = NULL;
	size_t size;

	cr_assert_null(file_write(path, "a\0b", 3));
	cr_assert_null(file_read(path, 3, &text, &size));
	cr_expect_eq(size, 3);
	cr_expect_arr_eq(text, "a\0b", 4);
	err = file_read(path, 2, &text, &size);
	cr_expect_not_null(err);
}

Test(file, a_failed_write_leaves_nothing)
{
	_cleanup_free_ char *path = in_root("gone/f");
	_cleanup_error_ struct error *err = file_write(path, "x", 1);

	cr_assert(error_is(err, ERROR_OS));
}

Test(file, copies_contents_and_mode)
{
	_cleanup_free_ char *from = in_root("from"), *to = in_root("to"),
			    *text = NULL;
	struct stat st;

	cr_assert_null(file_write(from, "hello", 5));
	cr_assert_eq(chmod(from, 0755), 0);
	cr_assert_null(file_copy(from, to));
	cr_assert_null(file_read(to, 100, &text, NULL));
	cr_expect_str_eq(text, "hello");
	cr_assert_eq(stat(to, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0755);
}

Test(file, installs_within_a_file_system_and_across)
{
	char other[] = "/dev/shm/file_test.XXXXXX";
	_cleanup_free_ char *from = in_root("from"), *to = in_root("to"),
			    *far = NULL, *text = NULL;

	cr_assert(mkdtemp(other));
	far = path_join(other, "far");
	cr_assert_null(file_write(to, "old", 3));
	cr_assert_null(file_write(from, "hello", 5));
	cr_assert_null(file_install(from, to));
	cr_expect(file_exists(from));
	cr_assert_null(file_install(to, far));
	cr_assert_null(file_read(far, 100, &text, NULL));
	cr_expect_str_eq(text, "hello");
	cr_expect_eq(unlink(far), 0);
	// Nothing else was left there.
	cr_expect_eq(rmdir(other), 0);
}

Test(file, paths_join_with_one_slash)
{
	static const struct {
		const char *directory, *name, *path;
	} cases[] = {
		{ "a", "b", "a/b" }, { "a/", "b", "a/b" },
		{ "/", "b", "/b" },  { "a", "/b", "/b" },
		{ "", "b", "b" },    { "a//", "b", "a/b" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_free_ char *path =
			path_join(cases[i].directory, cases[i].name);

		cr_expect_str_eq(path, cases[i].path);
	}
}
