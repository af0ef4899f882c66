// SPDX-License-Identifier: LGPL-2.1-or-later

#include <criterion/criterion.h>
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "common/archive/archive.h"
#include "common/base/file.h"
#include "common/store/store.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

#define NAME "kernel-6.12.1-vmtest1.1default.x86_64.tar.zst"

static struct store *store;

#define DIGEST_OF_ABC                                                          \
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void setup(void)
{
	static const char name[] = "dir:store";

	enter_tmp();
	cr_assert_null(store_create(name, NULL, &store));
	cr_expect_str_eq(store_name(store), name);
}

static void teardown(void)
{
	store_destroy(store);
	teardown_tmp();
}

TestSuite(store_directory, .init = setup, .fini = teardown);

static struct error *put(const char *name, const char *text, const char *label)
{
	put_file(".", name, text);
	return store_put(store, name, label, NULL, NULL);
}

static struct asset_list list(void)
{
	struct asset_list found = { 0 };

	cr_assert_null(store_list(store, &found));
	return found;
}

static struct error *get(const struct asset *asset, const char *expected)
{
	struct stream *stream;
	struct error *err = store_open(store, asset, &stream);

	return err ? err : expect_stream(stream, expected);
}

Test(store_directory, gives_back_what_was_put)
{
	_cleanup_free_ char *url = NULL;

	cr_expect_eq(list().count, 0);
	put_file(".", NAME, "abc");
	cr_assert_null(store_put(store, NAME, NULL, NULL, &url));
	cr_expect(file_exists(url));

	_cleanup_asset_list_ struct asset_list found = list();

	cr_assert_eq(found.count, 1);
	const struct asset *asset = asset_list_find(&found, NAME);
	cr_assert(asset);
	cr_expect_eq(asset->size_bytes, 3);
	cr_expect_str_eq(asset->url, url);
	cr_expect_gt(asset->created, 1500000000);
	cr_expect_str_eq(asset->digest, DIGEST_OF_ABC);
	expect_success(get(asset, "abc"));
	expect_contents("store", NAME ".sha256", DIGEST_OF_ABC "  " NAME "\n");
}

/** How many names the store's directory has. */
static int count_names(void)
{
	DIR *dir = opendir("store");
	int count = -2;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

Test(store_directory, keeps_label_and_digest_as_long_as_the_package)
{
	cr_assert_null(put(NAME, "abc", "a label"));
	cr_expect_eq(count_names(), 3);

	_cleanup_asset_list_ struct asset_list labelled = list();

	cr_expect_str_eq(labelled.items[0].label, "a label");
	for (int i = 0; i < 2; i++)
		cr_assert_null(store_delete(store, &labelled.items[0]));
	cr_expect_eq(count_names(), 0);
	cr_assert_null(put(NAME, "abc", NULL));

	_cleanup_asset_list_ struct asset_list bare = list();

	cr_expect_null(bare.items[0].label);
}

Test(store_directory, puts_the_same_file_again_and_no_other)
{
	for (int i = 0; i < 2; i++)
		cr_assert_null(put(NAME, "abc", NULL));
	expect_kind(put(NAME, "abd", NULL), ERROR_EXISTS, NAME);
	expect_contents("store", NAME, "abc");
}

Test(store_directory, repairs_what_a_dead_run_left)
{
	// Half a copy of this or another package, and the parts of one that has
	// no name yet.
	put_file("store", ".partial", "abcd");
	put_file("store", NAME ".sha256", "longer than it will be");
	put_file("store", NAME ".label", "of another file");
	for (int i = 0; i < 2; i++) {
		cr_assert_null(put(NAME, "abc", NULL));
		expect_contents("store", NAME, "abc");
		cr_expect_eq(count_names(), 2);

		_cleanup_asset_list_ struct asset_list found = list();

		cr_expect_str_eq(found.items[0].digest, DIGEST_OF_ABC);
		// Beside a package that is there.
		put_file("store", ".partial", "abcd");
		put_file("store", NAME ".sha256", "");

		_cleanup_asset_list_ struct asset_list unknown = list();

		cr_expect_str_eq(unknown.items[0].digest, "");
	}
}

Test(store_directory, writes_its_digests_to_files_only)
{
	static const char fifo[] = "store/" NAME ".sha256";

	put_file("store", "README.md", "");
	cr_assert_eq(mkfifo(fifo, 0666), 0);
	expect_failure(put(NAME, "abc", NULL), fifo);
	cr_expect_eq(count_names(), 2);
}

Test(store_directory, lists_packages_only_and_in_order)
{
	static const char *const names[] = {
		"B.tar.zst",	   "b.tar.zst",
		"c.tar.zst",	   "README.md",
		".hidden.tar.zst", "a.tar.zst.sha256",
		"x.tar.gz",	   "with space.tar.zst",
		".partial",	   "directory.tar.zst/file",
	};

	for (size_t i = 0; i < array_size(names); i++)
		put_file("store", names[i], i < 3 ? "x" : "");
	cr_assert_eq(symlink("/etc/passwd", "store/link.tar.zst"), 0);

	_cleanup_asset_list_ struct asset_list found = list();

	cr_assert_eq(found.count, 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect_str_eq(found.items[i].name, names[i]);
	// Put there by hand: usable, but nobody knows its digest.
	cr_expect_str_empty(found.items[1].digest);
}

Test(store_directory, refuses_names_that_are_none)
{
	static const char *const names[] = {
		"x.tar.gz",	    ".x.tar.zst",  "-x.tar.zst",
		".tar.zst",	    "a b.tar.zst", "a\nb.tar.zst",
		"\xc3\xa4.tar.zst", "a+b.tar.zst",
	};

	for (size_t i = 0; i < array_size(names); i++) {
		struct error *err = put(names[i], "x", NULL);

		cr_expect(error_catch(&err, ERROR_USAGE), "%s", names[i]);
	}
}

Test(store_directory, sees_damage)
{
	static const struct {
		const char *text;
		enum error_kind kind;
		const char *words;
	} cases[] = {
		{ "abd", ERROR_OTHER, "damaged" },
		{ "ab", ERROR_OTHER, "2 bytes" },
		{ NULL, ERROR_NOT_FOUND, "no such file" },
	};

	cr_assert_null(put(NAME, "abc", NULL));

	_cleanup_asset_list_ struct asset_list found = list();

	for (size_t i = 0; i < array_size(cases); i++) {
		if (cases[i].text)
			put_file("store", NAME, cases[i].text);
		else
			unlink(found.items[0].url);
		expect_kind(get(&found.items[0], ""), cases[i].kind,
			    cases[i].words);
	}
}

Test(store_directory, writes_its_page_only_when_it_changes)
{
	static const char path[] = "store/README.md";
	struct stat before, same, changed;

	cr_assert_null(store_describe(store, "# Kernels\n"));
	cr_assert_eq(stat(path, &before), 0);
	cr_assert_null(store_describe(store, "# Kernels\n"));
	cr_assert_eq(stat(path, &same), 0);
	cr_expect_eq(before.st_ino, same.st_ino);
	cr_assert_null(store_describe(store, "# No kernels\n"));
	cr_assert_eq(stat(path, &changed), 0);
	cr_expect_neq(before.st_ino, changed.st_ino);
	expect_contents(".", path, "# No kernels\n");
}

Test(store_directory, counts_the_characters_of_a_page)
{
	enum {
		LIMIT = STORE_PAGE_MAX
	};
	_cleanup_free_ char *markdown = malloc(2 * LIMIT + 2);

	for (size_t i = 0; i < LIMIT; i++)
		memcpy(markdown + 2 * i, "\xc3\xa4", 2);
	markdown[2 * LIMIT] = '\0';
	cr_assert_null(store_describe(store, markdown));
	strcat(markdown, "x");
	expect_failure(store_describe(store, markdown), "125001");
}

Test(store_directory, says_beforehand_whether_it_can_be_written)
{
	static const struct {
		const char *store;
		enum error_kind kind;
		const char *message;
	} rows[] = {
		{ "dir:new/store", 0, NULL },
		{ "dir:file", ERROR_OS,
		  "write to dir:file: make directory file: Not a directory" },
		{ "dir:/proc/self/store", ERROR_OS,
		  "write to dir:/proc/self/store: make directory /proc/self/store: " },
	};

	put_file(".", "file", "x");
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_store_ struct store *other = NULL;
		cr_assert_null(store_create(rows[i].store, NULL, &other));
		struct error *err = store_check_writable(other);

		if (rows[i].message)
			expect_kind(err, rows[i].kind, rows[i].message);
		else
			cr_expect_null(err);
	}
	cr_expect(directory_exists("new/store"));
}

Test(store_directory, says_how_stores_are_written)
{
	// clang-format off
	static const char *const names[] = {
		"", "dir:", "directory", "s3:bucket", "github:", "github:o/r",
		"github:o@t", "github:o/r/x@t", "github:o/r@", "github:o/..@t",
		"github:o/r@../x", "github:o/r@a b", "github:o/r?x@t", "github:/r@t",
	};
	// clang-format on

	for (size_t i = 0; i < array_size(names); i++) {
		struct store *other = NULL;
		struct error *err = store_create(names[i], NULL, &other);

		cr_expect(error_catch(&err, ERROR_USAGE), "%s", names[i]);
		store_destroy(other);
	}
}
