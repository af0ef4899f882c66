// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

TestSuite(pack, .init = enter_tmp, .fini = teardown_tmp);

static void set_mode(const char *tree, const char *name, mode_t mode)
{
	_cleanup_free_ char *path = path_join(tree, name);

	cr_assert_eq(chmod(path, mode), 0);
}

/** A small tree like a package's, and something large enough for two jobs. */
static void make_tree(const char *tree)
{
	static const struct {
		const char *name;
		mode_t mode;
	} files[] = {
		{ "build/vmlinux", 0600 },
		{ "build/Makefile", 0664 },
		{ "build/scripts/basic/fixdep", 0775 },
		{ "build-id", 0640 },
		{ "kernel/fs/b.ko", 0444 },
		{ "kernel/fs/a.ko", 0644 },
		{ "modules.dep", 0644 },
		{ "vmlinuz", 0700 },
	};
	_cleanup_free_ char *link = path_join(tree, "kernel/current");

	for (size_t i = 0; i < array_size(files); i++) {
		put_file(tree, files[i].name, files[i].name);
		set_mode(tree, files[i].name, files[i].mode);
	}
	cr_assert_eq(symlink("fs/a.ko", link), 0);
}

static const char *const first[] = { "vmlinuz", "missing", "kernel/fs", NULL };
static const char *const last[] = { "build/vmlinux", NULL };

static const struct pack_options options = {
	.first = first,
	.last = last,
	.mtime = 1700000000,
};

static void pack(const char *tree, const char *name,
		 const struct pack_options *with)
{
	struct stat st;

	cr_assert_null(pack_directory(tree, name, with));
	cr_assert_eq(stat(name, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0644);
}

/** A tarball's entries, one line each, as they follow. */
static char *describe(const char *name)
{
	struct string_builder sb = { 0 };
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;

	archive_read_support_filter_zstd(archive);
	archive_read_support_format_tar(archive);
	cr_assert_eq(archive_read_open_filename(archive, name, 4096), ARCHIVE_OK);
	while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
		const char *target = archive_entry_symlink(entry);

		string_builder_appendf(&sb, "%o %s%s%s\n",
				       (unsigned int)archive_entry_mode(entry),
				       archive_entry_pathname(entry),
				       target ? " -> " : "",
				       target ? target : "");
		cr_expect_eq(archive_entry_uid(entry), 0);
		cr_expect_eq(archive_entry_gid(entry), 0);
		cr_expect_str_empty(archive_entry_uname(entry));
		cr_expect_eq(archive_entry_mtime(entry), 1700000000);
		cr_expect_not(archive_entry_atime_is_set(entry));
		cr_expect_not(archive_entry_ctime_is_set(entry));
	}
	archive_read_free(archive);
	return string_builder_take(&sb);
}

Test(pack, orders_entries_and_normalises_what_they_say)
{
	_cleanup_free_ char *text = NULL;

	make_tree("tree");
	pack("tree", "out.tar.zst", &options);
	text = describe("out.tar.zst");
	cr_expect_str_eq(text, "100755 ./vmlinuz\n"
			       "40755 ./kernel/\n"
			       "40755 ./kernel/fs/\n"
			       "100644 ./kernel/fs/a.ko\n"
			       "100644 ./kernel/fs/b.ko\n"
			       "40755 ./build/\n"
			       "100644 ./build/Makefile\n"
			       "40755 ./build/scripts/\n"
			       "40755 ./build/scripts/basic/\n"
			       "100755 ./build/scripts/basic/fixdep\n"
			       "100644 ./build-id\n"
			       "120777 ./kernel/current -> fs/a.ko\n"
			       "100644 ./modules.dep\n"
			       "100644 ./build/vmlinux\n");
}

static void expect_same(const char *name, const char *other)
{
	char one[DIGEST_TEXT_SIZE], two[DIGEST_TEXT_SIZE];

	cr_assert_null(digest_file(name, one, NULL));
	cr_assert_null(digest_file(other, two, NULL));
	cr_expect_str_eq(one, two, "%s and %s", name, other);
}

Test(pack, gives_the_same_bytes_for_the_same_contents)
{
	enum {
		LARGE = 70 << 20
	};
	_cleanup_free_ char *large = malloc(LARGE + 1);
	cpu_set_t set;

	// Larger than a job of the compressor, so that two work at once.
	for (size_t i = 0; i < LARGE; i++)
		large[i] = (char)('0' + i / 4096 % 7);
	large[LARGE] = '\0';
	make_tree("a");
	put_file("a", "large", large);
	// In another order, with other times.
	put_file("b", "large", large);
	make_tree("b");
	pack("a", "a.tar.zst", &options);
	// A thread a processor compresses.
	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	cr_assert_eq(sched_setaffinity(0, sizeof(set), &set), 0);
	pack("b", "b.tar.zst", &options);
	expect_same("a.tar.zst", "b.tar.zst");
	// Where there is no room, it is not that of a file that was read.
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1, 1 }), 0);
	expect_failure(pack_directory("b", "c.tar.zst", &options),
		       "pack b: write c.tar.zst: File too large");
}

Test(pack, is_unpacked_as_it_was)
{
	make_tree("tree");
	// Longer than ustar holds, and not in ASCII.
	put_file("tree",
		 "a23456789012345678901234567890123456789012345678901234567890/"
		 "b23456789012345678901234567890123456789012345678901234567890/"
		 "c23456789012345678901234567890123456789012345678901234567890",
		 "x");
	put_file("tree", "\xc3\xa4\xff", "x");
	put_file("tree", "empty", "");
	pack("tree", "out.tar.zst", &options);
	cr_assert_null(directory_create("copy"));
	cr_assert_null(unpack_file("out.tar.zst", "copy",
				   &(struct unpack_options){ 0 }));
	pack("copy", "again.tar.zst", &options);
	expect_same("out.tar.zst", "again.tar.zst");
}

Test(pack, leaves_nothing_behind_when_it_fails)
{
	static const struct {
		const char *tree, *output, *words;
	} rows[] = {
		{ "tree", "out/t.tar.zst", "fifo: neither a file" },
		{ "nowhere", "out/t.tar.zst", "No such file" },
		{ "tree", "nowhere/t.tar.zst", "No such file" },
	};

	make_tree("tree");
	cr_assert_null(directory_create("out"));
	cr_assert_eq(mkfifo("tree/fifo", 0600), 0);
	for (size_t i = 0; i < array_size(rows); i++)
		expect_failure(pack_directory(rows[i].tree, rows[i].output,
					      &options),
			       rows[i].words);
	// It is empty.
	cr_expect_eq(rmdir("out"), 0);
}

Test(pack, takes_an_empty_directory)
{
	_cleanup_free_ char *text = NULL;

	cr_assert_null(directory_create("tree"));
	pack("tree", "out.tar.zst", &(struct pack_options){ 0 });
	text = describe("out.tar.zst");
	cr_expect_str_empty(text);
}

static struct error *read_member(const char *path, const char *member,
				 size_t limit_bytes, char **ret)
{
	struct error *err;

	struct archive_member members[] = { { member, limit_bytes, NULL } };
	_cleanup_stream_ struct stream *stream = NULL;
	err = stream_open_file(path, &stream);
	if (!err)
		err = archive_members_read(stream, members, 1);
	*ret = members[0].text;
	return err;
}

Test(pack, members_are_read_as_far_as_the_last_that_is_wanted)
{
	static const char *const names[] = { "a", "b", "c", NULL };
	const struct pack_options with = { .first = names };
	struct archive_member members[] = { { "./none", 9, NULL },
					    { "./a", 9, NULL },
					    { "./c", 9, NULL },
					    { "./b", 9, NULL } };

	for (const char *const *name = names; *name; name++)
		put_file("tree", *name, *name);
	cr_assert_null(pack_directory("tree", "t.tar.zst", &with));
	_cleanup_stream_ struct stream *stream = NULL;
	cr_assert_null(stream_open_file("t.tar.zst", &stream));
	cr_assert_null(archive_members_read(stream, members, 4));
	cr_expect_null(members[0].text);
	cr_expect_str_eq(members[1].text, "a");
	cr_expect_null(members[2].text, "it comes after the last");
	cr_expect_str_eq(members[3].text, "b");
	free(members[1].text);
	free(members[3].text);
}

Test(pack, one_member_is_whole_or_missing_or_damaged)
{
	static const char *const info[] = { "info", NULL };
	const struct pack_options with = { .first = info };
	_cleanup_free_ char *text = NULL, *empty = NULL, *none = NULL;

	put_file("tree", "info", "text");
	put_file("tree", "other", "");
	cr_assert_null(pack_directory("tree", "t.tar.zst", &with));
	cr_assert_null(read_member("t.tar.zst", "./info", 4, &text));
	cr_expect_str_eq(text, "text");
	cr_assert_null(read_member("t.tar.zst", "./other", 0, &empty));
	cr_expect_str_empty(empty);
	expect_kind(read_member("t.tar.zst", "./none", 4, &none),
		    ERROR_NOT_FOUND, "./none");
	expect_failure(read_member("t.tar.zst", "./info", 3, &none),
		       "./info has more than 3 bytes");
	put_file(".", "t.tar.zst", "no tarball");
	expect_kind(read_member("t.tar.zst", "./info", 4, &none), ERROR_OTHER,
		    "t.tar.zst");
	expect_kind(read_member("no/such", "./info", 4, &none), ERROR_OS,
		    "open no/such: No such file or directory");
	cr_expect_null(none);
}
