// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/text.h"

static char root[] = "/tmp/file_test.XXXXXX";

/** Every test is at work in an empty directory. */
static void setup(void)
{
	cr_assert(mkdtemp(root));
	cr_assert_eq(chdir(root), 0);
}

static void teardown(void)
{
	if (getuid() == 0)
		cr_assert_eq(seteuid(0), 0);
	error_destroy(directory_remove(root));
}

TestSuite(file, .init = setup, .fini = teardown);

static void expect_text(const char *path, const char *expected)
{
	_cleanup_free_ char *text = NULL;

	cr_assert_null(file_read(path, 100, &text, NULL));
	cr_expect_str_eq(text, expected);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_mode & 0777;
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

Test(file, writes_whole_and_reads_back)
{
	_cleanup_free_ char *text = NULL;
	size_t size;

	cr_assert_null(file_write("f", "a\0b", 3));
	cr_assert_null(file_read("f", 3, &text, &size));
	cr_expect_eq(size, 3);
	cr_expect_arr_eq(text, "a\0b", 4);

	char *more = NULL;
	_cleanup_error_ struct error *longer = file_read("f", 2, &more, &size),
				     *unwritten = file_write("gone/f", "x", 1);

	cr_expect_not_null(longer);
	cr_expect(error_is(unwritten, ERROR_OS));
}

Test(file, copies_contents_and_mode)
{
	cr_assert_null(file_write("from", "hello", 5));
	cr_assert_eq(chmod("from", 0755), 0);
	cr_assert_null(file_copy("from", "to"));
	expect_text("to", "hello");
	cr_expect_eq(mode_of("to"), 0755);
}

Test(file, installs_within_a_file_system_and_across)
{
	char other[] = "/dev/shm/file_test.XXXXXX";

	cr_assert(mkdtemp(other));
	_cleanup_free_ char *far = path_join(other, "far");
	cr_assert_null(file_write("to", "old", 3));
	cr_assert_null(file_write("from", "hello", 5));
	cr_assert_null(file_install("from", "to"));
	cr_expect(file_exists("from"));
	cr_assert_null(file_install("to", far));
	expect_text(far, "hello");
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

Test(file, removing_does_not_follow_links)
{
	cr_assert_null(directory_create("outside"));
	cr_assert_null(file_write("outside/kept", "x", 1));
	cr_assert_null(directory_create("tree/a/b"));
	cr_assert_eq(symlink("../outside", "tree/link"), 0);
	cr_assert_eq(chmod("tree/a/b", 0500), 0);
	cr_assert_null(directory_remove("tree"));
	cr_expect_not(directory_exists("tree"));
	cr_expect(file_exists("outside/kept"));
	cr_expect_null(directory_remove("tree"));
}

Test(file, removing_opens_what_is_closed)
{
	// Root needs no permission.
	become_nobody();
	cr_assert_null(directory_create("tree/a/b"));
	cr_assert_eq(chmod("tree/a/b", 0), 0);
	cr_assert_null(directory_remove("tree"));
	cr_expect_not(directory_exists("tree"));
}

Test(file, removing_changes_nothing_that_a_link_leads_to)
{
	if (geteuid() != 0)
		cr_skip("another user's link needs root");
	cr_assert_null(directory_create("outside"));
	cr_assert_eq(chmod("outside", 0755), 0);
	cr_assert_null(directory_create("tree/shared"));
	cr_assert_eq(symlink("../../outside", "tree/shared/link"), 0);
	// As in /tmp, the link cannot be deleted: it is root's, and so is shared.
	cr_assert_eq(chmod("tree/shared", 01777), 0);
	cr_assert_eq(chown("tree", 65534, 65534), 0);
	cr_assert_eq(chown("outside", 65534, 65534), 0);
	become_nobody();

	_cleanup_error_ struct error *err = directory_remove("tree");

	cr_expect(err);
	cr_expect_eq(mode_of("outside"), 0755);
}

Test(file, only_our_leftovers_of_the_dead_are_stale)
{
	_cleanup_free_ char *alive = NULL, *dead = NULL;
	_cleanup_close_ int alive_fd = -1;
	int dead_fd = -1;

	cr_assert_null(directory_create_temporary(root, "x", &alive, &alive_fd));
	cr_assert_null(directory_create_temporary(root, "x", &dead, &dead_fd));
	close(dead_fd);
	cr_assert_null(directory_create(".x.abcdef"));
	bool is_theirs = chown(".x.abcdef", 65534, 65534) == 0;
	cr_assert_null(directory_remove_stale(root, "x"));
	cr_expect(directory_exists(alive));
	cr_expect_not(directory_exists(dead));
	cr_expect_eq(directory_exists(".x.abcdef"), is_theirs);
}

Test(file, why_a_directory_cannot_be_made_is_told)
{
	static const struct {
		const char *path;
		enum error_kind kind;
		const char *words;
	} rows[] = {
		{ "", ERROR_USAGE, "not empty" },
		{ "file/x", ERROR_OS, "make directory file: Not a directory" },
		{ "a//b/../file/", ERROR_OS, "make directory" },
		// Nobody may; that it is not there is not the reason.
		{ "/sys/x", ERROR_OS, "make directory /sys/x: " },
	};

	cr_assert_null(file_write("file", "x", 1));
	cr_assert_null(directory_create("a//b/"));
	cr_assert_null(file_write("a/file", "x", 1));
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_error_ struct error *err =
			directory_create(rows[i].path);

		cr_assert(error_is(err, rows[i].kind), "%zu", i);
		cr_expect(strstr(error_message(err), rows[i].words), "%s",
			  error_message(err));
		cr_expect_null(strstr(error_message(err), "No such file"));
	}
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

Test(file, temporary_directories_of_many_at_once_do_not_collide, .timeout = 60)
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

static void expect_list(const struct string_list *list, const char *expected)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	for (size_t i = 0; i < list->count; i++)
		string_builder_appendf(&sb, "%s ", list->items[i]);
	cr_expect_str_eq(sb.text, expected);
}

Test(file, trees_are_listed_and_copied)
{
	static const char *const skip[] = { "*.o", "c", NULL };
	_cleanup_string_list_ struct string_list files = { 0 }, some = { 0 },
						 all = { 0 }, copied = { 0 };

	cr_assert_null(directory_create("tree/a"));
	cr_assert_null(directory_create("tree/c"));
	cr_assert_null(file_write("tree/a/x.o", "x", 1));
	cr_assert_null(file_write("tree/c/x.c", "x", 1));
	cr_assert_null(file_write("tree/b", "x", 1));
	cr_assert_eq(symlink("b", "tree/d"), 0);
	cr_assert_eq(symlink("nowhere", "tree/e"), 0);
	cr_assert_null(tree_list("tree//", NULL, &files));
	expect_list(&files, "a/x.o b c/x.c d ");
	cr_assert_null(tree_list("tree", skip, &some));
	expect_list(&some, "b d ");
	cr_assert_null(tree_list_all("tree", &all));
	expect_list(&all, "a a/x.o b c c/x.c d e ");
	cr_assert_null(tree_copy("tree", skip, "copy/x"));
	cr_assert_null(tree_list_all("copy", &copied));
	expect_list(&copied, "x x/b x/d ");
}
