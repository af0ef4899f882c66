// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/file.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"

static char root[] = "/tmp/directory_test.XXXXXX";

static void setup(void)
{
	cr_assert(mkdtemp(root));
}

static void teardown(void)
{
	if (getuid() == 0)
		cr_assert_eq(seteuid(0), 0);
	error_destroy(directory_remove(root));
}

TestSuite(directory, .init = setup, .fini = teardown);

static char *in_root(const char *name)
{
	return path_join(root, name);
}

Test(directory, removing_does_not_follow_links)
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

Test(directory, only_the_leftovers_of_the_dead_are_stale)
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

/** Run on as an ordinary user, who owns root; no change if we are one. */
static void become_nobody(void)
{
	if (geteuid() != 0)
		return;
	cr_assert_eq(chown(root, 65534, 65534), 0);
	cr_assert_eq(seteuid(65534), 0);
	// The leak checker wants to trace us.
	cr_assert_eq(prctl(PR_SET_DUMPABLE, 1), 0);
}

Test(directory, removing_opens_what_is_closed)
{
	_cleanup_free_ char *tree = in_root("tree"), *deep = in_root("tree/a/b");

	// Root needs no permission.
	become_nobody();
	cr_assert_null(directory_create(deep));
	cr_assert_eq(chmod(deep, 0), 0);
	cr_assert_null(directory_remove(tree));
	cr_expect_not(directory_exists(tree));
}

Test(directory, removing_changes_nothing_that_a_link_leads_to)
{
	_cleanup_free_ char *outside = in_root("outside"),
			    *tree = in_root("tree"),
			    *shared = in_root("tree/shared"),
			    *link_path = in_root("tree/shared/link");
	struct stat st;

	if (geteuid() != 0)
		cr_skip("another user's link needs root");
	cr_assert_null(directory_create(outside));
	cr_assert_eq(chmod(outside, 0755), 0);
	cr_assert_null(directory_create(shared));
	cr_assert_eq(symlink(outside, link_path), 0);
	// As in /tmp, the link cannot be deleted: it is root's, and so is shared.
	cr_assert_eq(chmod(shared, 01777), 0);
	cr_assert_eq(chown(tree, 65534, 65534), 0);
	cr_assert_eq(chown(outside, 65534, 65534), 0);
	become_nobody();

	_cleanup_error_ struct error *err = directory_remove(tree);

	cr_expect(err);
	cr_assert_eq(stat(outside, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0755);
}

Test(directory, the_leftovers_of_another_user_are_not_ours)
{
	_cleanup_free_ char *theirs = in_root(".x.abcdef");

	if (geteuid() != 0)
		cr_skip("another user's directory needs root");
	cr_assert_null(directory_create(theirs));
	cr_assert_eq(chown(theirs, 65534, 65534), 0);
	cr_assert_null(directory_remove_stale(root, "x"));
	cr_expect(directory_exists(theirs));
}

Test(directory, why_one_cannot_be_made_is_told)
{
	_cleanup_free_ char *file = in_root("file"), *below = in_root("file/x");
	const struct {
		const char *path;
		enum error_kind kind;
		const char *words;
	} rows[] = {
		{ "", ERROR_USAGE, "not empty" },
		{ below, ERROR_OS, file },
		{ below, ERROR_OS, "Not a directory" },
	};

	cr_assert_null(file_write(file, "x", 1));
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_error_ struct error *err =
			directory_create(rows[i].path);

		cr_assert(error_is(err, rows[i].kind), "%zu", i);
		cr_expect(strstr(error_message(err), rows[i].words), "%s",
			  error_message(err));
	}

	// Nobody may; that it is not there is not the reason.
	_cleanup_error_ struct error *err = directory_create("/sys/x");

	cr_assert(error_is(err, ERROR_OS));
	cr_expect_null(strstr(error_message(err), "No such file"));
}

/** What a command does with a temporary directory. @return Whether it could. */
static bool use_temporary(void)
{
	_cleanup_directory_ char *path = NULL;
	_cleanup_close_ int lock_fd = -1;
	struct error *err = directory_remove_stale(root, "x");

	if (!err)
		err = directory_create_temporary(root, "x", &path, &lock_fd);
	if (!err) {
		_cleanup_free_ char *below = path_join(path, "a/b");

		err = directory_create(below);
	}
	if (!err)
		return true;
	cr_log_error("%s", error_message(err));
	error_destroy(err);
	return false;
}

static void *use_many(void *arg)
{
	bool *fine = arg;

	for (int i = 0; *fine && i < 300; i++)
		*fine = use_temporary();
	return NULL;
}

Test(directory, temporary_directories_of_many_at_once_do_not_collide,
     .timeout = 60)
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
