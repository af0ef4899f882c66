// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"

static char root[] = "/tmp/pack_test.XXXXXX";

static void setup(void)
{
	cr_assert(mkdtemp(root));
}

static void teardown(void)
{
	error_destroy(directory_remove(root));
}

TestSuite(pack, .init = setup, .fini = teardown);

static char *in_root(const char *name)
{
	return path_join(root, name);
}

/** Make a file, and the directories that it is in. */
static void make_file(const char *name, const char *text, size_t size, mode_t mode)
{
	_cleanup_free_ char *path = in_root(name);
	_cleanup_free_ char *directory =
		string_copy_n(path, (size_t)(strrchr(path, '/') - path));

	cr_assert_null(directory_create(directory));
	cr_assert_null(file_write(path, text, size));
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
	_cleanup_free_ char *link = path_joinf(root, "%s/kernel/current", tree);

	for (size_t i = 0; i < array_size(files); i++) {
		_cleanup_free_ char *file = path_join(tree, files[i].name);

		make_file(file, files[i].name, strlen(files[i].name),
			  files[i].mode);
	}
	cr_assert_eq(symlink("fs/a.ko", link), 0);
}

static const char *const first[] = { "vmlinuz", "missing", "kernel/fs", NULL };
static const char *const last[] = { "build/vmlinux", NULL };

static const struct pack_options options = {
	.first = first,
	.last = last,
	.mtime = 1700000000,
	.level = 1,
	.workers = 1,
};

static void pack(const char *tree, const char *name,
		 const struct pack_options *with)
{
	_cleanup_free_ char *directory = in_root(tree);
	_cleanup_free_ char *output = in_root(name);
	struct stat st;

	cr_assert_null(pack_directory(directory, output, with));
	cr_assert_eq(stat(output, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0644);
}

/** A tarball's entries, one line each, as they follow. */
static char *describe(const char *name)
{
	struct string_builder sb = { 0 };
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	_cleanup_free_ char *path = in_root(name);

	archive_read_support_filter_zstd(archive);
	archive_read_support_format_tar(archive);
	cr_assert_eq(archive_read_open_filename(archive, path, 4096), ARCHIVE_OK);
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

static void digest_of(const char *name, char digest_ret[static DIGEST_TEXT_SIZE])
{
	_cleanup_free_ char *path = in_root(name);

	cr_assert_null(digest_file(path, digest_ret, NULL));
}

Test(pack, gives_the_same_bytes_for_the_same_contents)
{
	char one[DIGEST_TEXT_SIZE], two[DIGEST_TEXT_SIZE];
	struct pack_options with = options;
	enum {
		LARGE = 70 << 20
	};
	_cleanup_free_ char *large = malloc(LARGE);
	uint32_t random = 1;

	// Larger than a job of the compressor, so that two work at once.
	for (size_t i = 0; i < LARGE; i++) {
		random = random * 1664525 + 1013904223;
		large[i] = (char)(random >> 30);
	}
	make_tree("a");
	make_file("a/large", large, LARGE, 0644);
	// In another order, with other times.
	make_file("b/large", large, LARGE, 0644);
	make_tree("b");
	pack("a", "a.tar.zst", &with);
	with.workers = 2;
	pack("b", "b.tar.zst", &with);
	digest_of("a.tar.zst", one);
	digest_of("b.tar.zst", two);
	cr_expect_str_eq(one, two);
	with.workers = 0;
	pack("b", "c.tar.zst", &with);
	digest_of("c.tar.zst", two);
	cr_expect_str_eq(one, two);
}

Test(pack, is_unpacked_as_it_was)
{
	_cleanup_free_ char *packed = in_root("out.tar.zst");
	_cleanup_free_ char *copy = in_root("copy");
	char one[DIGEST_TEXT_SIZE], two[DIGEST_TEXT_SIZE];

	make_tree("tree");
	// Longer than ustar holds, and not in ASCII.
	make_file("tree/"
		  "a23456789012345678901234567890123456789012345678901234567890/"
		  "b23456789012345678901234567890123456789012345678901234567890/"
		  "c23456789012345678901234567890123456789012345678901234567890",
		  "x", 1, 0644);
	make_file("tree/\xc3\xa4\xff", "x", 1, 0644);
	make_file("tree/empty", "", 0, 0644);
	pack("tree", "out.tar.zst", &options);
	cr_assert_null(directory_create(copy));
	cr_assert_null(unpack_file(packed, copy, &(struct unpack_options){ 0 }));
	pack("copy", "again.tar.zst", &options);
	digest_of("out.tar.zst", one);
	digest_of("again.tar.zst", two);
	cr_expect_str_eq(one, two);
}

static void expect_failure(const char *tree, const char *output_name,
			   const char *words)
{
	_cleanup_free_ char *directory = in_root(tree);
	_cleanup_free_ char *output = in_root(output_name);
	_cleanup_error_ struct error *err =
		pack_directory(directory, output, &options);

	cr_assert(err);
	cr_expect(strstr(error_message(err), words), "%s", error_message(err));
	cr_expect_not(strchr(error_message(err), '\n'));
	cr_expect_not(file_exists(output));
}

Test(pack, leaves_nothing_behind_when_it_fails)
{
	_cleanup_free_ char *fifo = in_root("tree/fifo");
	DIR *dir;
	struct dirent *entry;

	make_tree("tree");
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	expect_failure("tree", "out.tar.zst", "fifo: neither a file");
	expect_failure("nowhere", "out.tar.zst", "No such file");
	expect_failure("tree", "nowhere/out.tar.zst", "No such file");
	dir = opendir(root);
	while ((entry = readdir(dir)))
		cr_expect_not(strstr(entry->d_name, "out"), "%s", entry->d_name);
	closedir(dir);
}

Test(pack, takes_an_empty_directory)
{
	_cleanup_free_ char *tree = in_root("tree");
	_cleanup_free_ char *text = NULL;

	cr_assert_null(directory_create(tree));
	pack("tree", "out.tar.zst", &(struct pack_options){ .level = 1 });
	text = describe("out.tar.zst");
	cr_expect_str_empty(text);
}
