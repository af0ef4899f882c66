// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static void teardown(void)
{
	if (getuid() == 0)
		cr_assert_eq(seteuid(0), 0);
	teardown_tmp();
}

TestSuite(file, .init = enter_tmp, .fini = teardown);

static mode_t mode_of(const char *path)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_mode & 0777;
}

/** Run on as an ordinary user, who owns the directory; no change if we are one. */
static void become_nobody(void)
{
	if (geteuid() != 0)
		return;
	cr_assert_eq(chown(".", 65534, 65534), 0);
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

/** Let stdout be a file that a path names. */
static void redirect_stdout(const char *path)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	cr_assert_geq(fd, 0);
	cr_assert_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
}

Test(file, what_the_user_names_is_written_whole_or_as_it_is)
{
	static const struct {
		const char *path, *contents;
		// Whether it is a regular file, and so deleted first.
		bool is_deleted;
	} rows[] = {
		{ "new", "new", true },
		{ "old", "old", true },
		{ "ours", "stdout", false },
	};

	cr_assert_eq(symlink("/proc/self/fd/1", "ours"), 0);
	redirect_stdout("stdout");
	for (size_t i = 0; i < array_size(rows); i++) {
		const char *path = rows[i].path;

		put_file(".", "old", "long before");
		cr_assert_null(user_file_delete(path));
		cr_expect_eq(access(path, F_OK), rows[i].is_deleted ? -1 : 0);
		cr_assert_null(user_file_write(path, "text", 4));
		expect_contents(".", rows[i].contents, "text");
	}
}

Test(file, a_link_that_somebody_made_leads_no_result_elsewhere)
{
	put_file(".", "precious", "old");
	cr_assert_eq(symlink("precious", "link"), 0);
	cr_assert_null(user_file_write("link", "text", 4));
	expect_contents(".", "precious", "old");
	expect_contents(".", "link", "text");
	cr_assert_eq(symlink("new", "dangling"), 0);
	cr_assert_null(user_file_write("dangling", "text", 4));
	cr_expect(!file_exists("new"));
	expect_contents(".", "dangling", "text");
}

Test(file, one_that_grows_takes_the_place_of_a_link)
{
	int fd = -1;

	put_file(".", "precious", "old");
	cr_assert_eq(symlink("precious", "link"), 0);
	expect_success(user_file_create("link", &fd));
	cr_expect_eq(write_all(fd, "text", 4), 0);
	close(fd);
	expect_contents(".", "precious", "old");
	expect_contents(".", "link", "text");
	expect_kind(file_create("/dev/null", &fd), ERROR_USAGE, "not a file");
	expect_kind(file_create("gone/x", &fd), ERROR_OS, "write gone/x");
	// What is open has been replaced, not emptied.
	_cleanup_close_ int old = open("link", O_RDONLY | O_CLOEXEC);
	char text[8] = "";
	expect_success(file_create("link", &fd));
	close(fd);
	cr_expect_eq(read(old, text, sizeof(text)), 4);
	expect_contents(".", "link", "");
}

Test(file, what_is_no_file_is_neither_replaced_nor_deleted)
{
	char text[8] = "";
	struct stat st;

	cr_assert_eq(mkfifo("fifo", 0600), 0);
	cr_assert_eq(symlink("fifo", "link"), 0);
	expect_kind(user_file_write("link", "text", 4), ERROR_OS,
		    "open link: No such device");
	_cleanup_close_ int fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_assert_null(user_file_delete("link"));
	cr_assert_null(user_file_write("link", "text", 4));
	cr_expect_eq(read(fd, text, sizeof(text)), 4);
	cr_expect_str_eq(text, "text");
	cr_assert_eq(stat("link", &st), 0);
	cr_expect(S_ISFIFO(st.st_mode));
	cr_assert_eq(symlink("/dev/full", "full"), 0);
	expect_kind(user_file_write("full", "x", 1), ERROR_OS, "No space left");
	cr_assert_eq(readlink("full", text, sizeof(text)), sizeof(text));
	expect_kind(user_file_delete("."), ERROR_USAGE, "not a file");
	expect_kind(user_file_write(".", "x", 1), ERROR_USAGE, "not a file");
}

Test(file, copies_contents_and_mode)
{
	put_file(".", "from", "hello");
	cr_assert_eq(chmod("from", 0755), 0);
	cr_assert_null(file_copy("from", "to"));
	expect_contents(".", "to", "hello");
	cr_expect_eq(mode_of("to"), 0755);
}

Test(file, installs_within_a_file_system_and_across)
{
	char other[] = "/dev/shm/file_test.XXXXXX";

	cr_assert(mkdtemp(other));
	_cleanup_free_ char *far = path_join(other, "far");
	put_file(".", "to", "old");
	put_file(".", "from", "hello");
	cr_assert_null(file_install("from", "to"));
	cr_expect(file_exists("from"));
	cr_assert_null(file_install("to", far));
	expect_contents(other, "far", "hello");
	cr_expect_eq(unlink(far), 0);
	// Nothing else was left there.
	cr_expect_eq(rmdir(other), 0);
}

Test(file, paths_join_with_one_slash)
{
	static const char *const rows[][3] = {
		{ "a", "b", "a/b" }, { "a/", "b", "a/b" },
		{ "/", "b", "/b" },  { "a", "/b", "/b" },
		{ "", "b", "b" },    { "a//", "b", "a/b" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *path = path_join(rows[i][0], rows[i][1]);

		cr_expect_str_eq(path, rows[i][2]);
	}
}

Test(file, a_path_is_its_parent_and_its_name)
{
	static const char *const rows[][3] = {
		{ "a", ".", "a" },	{ "/a", "/", "a" },
		{ "a/b", "a/", "b" },	{ "a/b/", "a/b/", "" },
		{ "a//b", "a//", "b" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *parent = path_parent(rows[i][0]);

		cr_expect_str_eq(parent, rows[i][1], "%s", rows[i][0]);
		cr_expect_str_eq(path_name(rows[i][0]), rows[i][2], "%s",
				 rows[i][0]);
	}
}

Test(file, removing_does_not_follow_links)
{
	put_file(".", "outside/kept", "x");
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

	cr_assert_null(directory_create_temporary(".", "x", &alive, &alive_fd));
	cr_assert_null(directory_create_temporary(".", "x", &dead, &dead_fd));
	close(dead_fd);
	cr_assert_null(directory_create(".x.abcdef"));
	bool is_theirs = chown(".x.abcdef", 65534, 65534) == 0;
	cr_assert_null(directory_remove_stale(".", "x"));
	cr_expect(directory_exists(alive));
	cr_expect_not(directory_exists(dead));
	cr_expect_eq(directory_exists(".x.abcdef"), is_theirs);
}

Test(file, a_private_directory_is_for_the_user_alone)
{
	umask(0);
	expect_success(directory_create_private("a/b"));
	cr_expect_eq(mode_of("a/b"), 0700);
	// What is there stays as it is.
	cr_assert_eq(chmod("a/b", 0755), 0);
	expect_success(directory_create_private("a/b"));
	cr_expect_eq(mode_of("a/b"), 0755);
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

	put_file(".", "file", "x");
	cr_assert_null(directory_create("a//b/"));
	put_file(".", "a/file", "x");
	for (size_t i = 0; i < array_size(rows); i++) {
		struct error *err = directory_create(rows[i].path);

		cr_assert(err, "%s", rows[i].path);
		cr_expect_null(strstr(error_message(err), "No such file"));
		expect_kind(err, rows[i].kind, rows[i].words);
	}
}

/** What a command does with a temporary directory. */
static struct error *use_temporary(void)
{
	struct error *err;
	_cleanup_directory_ char *path = NULL;
	_cleanup_close_ int lock_fd = -1;

	err = directory_remove_stale(".", "x");
	if (err)
		return err;
	err = directory_create_temporary(".", "x", &path, &lock_fd);
	if (err)
		return err;
	_cleanup_free_ char *below = path_join(path, "a/b");

	return directory_create(below);
}

static void *use_many(void *arg)
{
	struct error *err = NULL;

	(void)arg;
	for (int i = 0; !err && i < 300; i++)
		err = use_temporary();
	return err;
}

Test(file, temporary_directories_of_many_at_once_do_not_collide, .timeout = 60)
{
	pthread_t threads[4];

	for (size_t i = 0; i < array_size(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, use_many, NULL),
			     0);
	for (size_t i = 0; i < array_size(threads); i++) {
		void *err;

		pthread_join(threads[i], &err);
		expect_success(err);
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

	put_file(".", "tree/a/x.o", "x");
	put_file(".", "tree/c/x.c", "x");
	put_file(".", "tree/b", "x");
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

Test(file, a_path_that_leads_out_is_known)
{
	static const struct {
		const char *path;
		bool stays;
	} rows[] = {
		{ "a/b.ko", true },	{ "a/..b/c..", true },
		{ "./a", true },	{ "", false },
		{ "/a", false },	{ "..", false },
		{ "a/../../b", false }, { "a/..", false },
		{ "../a", false },	{ "a//../b", false },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		cr_expect_eq(path_stays_below(rows[i].path), rows[i].stays,
			     "%s", rows[i].path);
}

Test(file, a_pipe_that_nobody_writes_to_is_empty, .timeout = 60)
{
	_cleanup_free_ char *text = NULL;
	size_t size;

	cr_assert_eq(mkfifo("pipe", 0600), 0);
	cr_assert_null(file_read("pipe", 10, &text, &size));
	cr_expect_eq(size, 0);
}
