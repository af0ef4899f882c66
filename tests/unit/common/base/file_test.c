// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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
	char *path = NULL;

	path = path_join(root, name);
	return path;
}

Test(file, joins_with_one_slash)
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
	cr_expect_eq(error_errno(err), ENOENT);
}

Test(file, removing_does_not_follow_links)
{
	_cleanup_free_ char *outside = in_root("outside"),
			    *kept = in_root("outside/kept");
	_cleanup_free_ char *tree = in_root("tree"), *deep = in_root("tree/a/b"),
			    *link_path = in_root("tree/link");

	cr_assert_null(directory_create(outside));
	cr_assert_null(file_write(kept, "x", 1));
	cr_assert_null(directory_create(deep));
	cr_assert_eq(symlink(outside, link_path), 0);
	cr_assert_eq(chmod(deep, 0500), 0);
	cr_assert_null(directory_remove(tree));
	cr_expect_not(directory_exists(tree));
	cr_expect(file_exists(kept));
	cr_expect_null(directory_remove(tree));
}

Test(file, only_the_leftovers_of_the_dead_are_stale)
{
	_cleanup_free_ char *alive = NULL, *dead = NULL;
	_cleanup_close_ int alive_fd = -1;
	int dead_fd = -1;

	cr_assert_null(directory_create_temporary(root, "x", &alive, &alive_fd));
	cr_assert_null(directory_create_temporary(root, "x", &dead, &dead_fd));
	close(dead_fd);
	cr_assert_null(directory_remove_stale(root, "x"));
	cr_expect(directory_exists(alive));
	cr_expect_not(directory_exists(dead));
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

Test(file, moves_within_a_file_system_and_across)
{
	char other[] = "/dev/shm/file_test.XXXXXX";
	_cleanup_free_ char *from = in_root("from"), *to = in_root("to"),
			    *far = NULL, *text = NULL;

	cr_assert(mkdtemp(other));
	far = path_join(other, "far");
	cr_assert_null(file_write(to, "old", 3));
	cr_assert_null(file_write(from, "hello", 5));
	cr_assert_null(file_move(from, to));
	cr_expect_not(file_exists(from));
	cr_assert_null(file_move(to, far));
	cr_expect_not(file_exists(to));
	cr_assert_null(file_read(far, 100, &text, NULL));
	cr_expect_str_eq(text, "hello");
	cr_expect_eq(unlink(far), 0);
	// Nothing else was left there.
	cr_expect_eq(rmdir(other), 0);
}

Test(file, a_folder_that_cannot_be_is_named)
{
	_cleanup_free_ char *file = in_root("file"), *below = in_root("file/x");
	struct error *err = directory_create("");

	cr_expect(error_catch(&err, ERROR_USAGE));
	cr_assert_null(file_write(file, "x", 1));
	err = directory_create(below);
	cr_assert(error_is(err, ERROR_OS));
	cr_expect_eq(error_errno(err), ENOTDIR);
	cr_expect_not_null(strstr(error_message(err), file));
	error_destroy(err);
}

Test(file, why_a_folder_cannot_be_made_is_told)
{
	// Nobody may; that the folder is not there is not the reason.
	_cleanup_error_ struct error *err = directory_create("/sys/x");

	cr_assert(error_is(err, ERROR_OS));
	cr_expect_neq(error_errno(err), ENOENT);
}

/** What a command does with a temporary folder. @return Whether it could. */
static bool use_temporary(void)
{
	_cleanup_error_ struct error *err = directory_remove_stale(root, "x");
	_cleanup_directory_ char *path = NULL;
	_cleanup_close_ int lock_fd = -1;
	_cleanup_free_ char *below = NULL;

	if (!err)
		err = directory_create_temporary(root, "x", &path, &lock_fd);
	if (!err)
		below = path_join(path, "a/b");
	if (!err)
		err = directory_create(below);
	if (err)
		cr_log_error("%s", error_message(err));
	return !err;
}

static void *use_many(void *arg)
{
	bool *fine = arg;

	for (int i = 0; *fine && i < 300; i++)
		*fine = use_temporary();
	return NULL;
}

Test(file, temporary_folders_of_many_at_once_do_not_collide, .timeout = 60)
{
	pthread_t threads[4];
	bool fine[array_size(threads)];

	for (size_t i = 0; i < array_size(threads); i++) {
		fine[i] = true;
		cr_assert_eq(pthread_create(&threads[i], NULL, use_many, &fine[i]),
			     0);
	}
	for (size_t i = 0; i < array_size(threads); i++) {
		pthread_join(threads[i], NULL);
		cr_expect(fine[i]);
	}
}
