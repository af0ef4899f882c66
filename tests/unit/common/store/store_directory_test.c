// SPDX-License-Identifier: LGPL-2.1-or-later

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/store/store.h"

#define NAME "kernel-6.12.1-vmtest1.1default.x86_64.tar.zst"

static char *root;
static int root_lock = -1;
static struct store *store;

static void setup(void)
{
	_cleanup_free_ char *name = NULL;

	cr_assert_null(directory_create_temporary("/tmp", "vmtest-store", &root,
						  &root_lock));
	cr_assert_gt(asprintf(&name, "dir:%s/store", root), 0);
	cr_assert_null(store_create(name, NULL, &store));
	cr_expect_str_eq(store_name(store), name);
}

static void teardown(void)
{
	store_destroy(store);
	cleanup_directory(&root);
	close(root_lock);
}

TestSuite(store_directory, .init = setup, .fini = teardown);

static char *in_root(const char *name)
{
	return path_join(root, name);
}

static void make_file(const char *name, const char *text)
{
	_cleanup_free_ char *path = in_root(name);

	cr_assert_null(file_write(path, text, strlen(text)));
}

static char *read_text(const char *name)
{
	_cleanup_free_ char *path = in_root(name);
	char *text;

	cr_assert_null(file_read(path, 1 << 20, &text, NULL));
	return text;
}

static struct error *put(const char *name)
{
	_cleanup_free_ char *path = in_root(name);

	return store_put(store, path, NULL, NULL, NULL);
}

static struct error *get(const struct asset *asset, char **text_ret)
{
	struct error *err;
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_stream_ struct stream *stream = NULL;
	const void *data;
	size_t size;

	err = store_open(store, asset, &stream);
	for (size = 1; !err && size;) {
		err = stream_read(stream, &data, &size);
		if (!err)
			string_builder_append_n(&sb, data, size);
	}
	if (err)
		return err;
	*text_ret = string_builder_take(&sb);
	return NULL;
}

Test(store_directory, is_empty_before_the_first_put)
{
	_cleanup_asset_list_ struct asset_list list = { 0 };

	cr_assert_null(store_list(store, &list));
	cr_expect_eq(list.count, 0);
}

Test(store_directory, gives_back_what_was_put)
{
	_cleanup_asset_list_ struct asset_list list = { 0 };
	_cleanup_free_ char *text = NULL, *sidecar = NULL, *url = NULL;
	_cleanup_free_ char *path = in_root(NAME);
	const struct asset *asset;

	make_file(NAME, "abc");
	cr_assert_null(store_put(store, path, NULL, NULL, &url));
	cr_expect(file_exists(url));
	cr_assert_null(store_list(store, &list));
	cr_assert_eq(list.count, 1);
	asset = asset_list_find(&list, NAME);
	cr_assert(asset);
	cr_expect_eq(asset->size_bytes, 3);
	cr_expect_str_eq(asset->url, url);
	cr_expect_gt(asset->created, 1500000000);
	cr_expect_str_eq(
		asset->digest,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	cr_assert_null(get(asset, &text));
	cr_expect_str_eq(text, "abc");
	sidecar = read_text("store/" NAME ".sha256");
	cr_expect_str_eq(sidecar,
			 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  " NAME
			 "\n");
}

Test(store_directory, keeps_the_label_as_long_as_the_package)
{
	_cleanup_free_ char *path = in_root(NAME);
	_cleanup_asset_list_ struct asset_list list = { 0 }, bare = { 0 };

	make_file(NAME, "abc");
	cr_assert_null(store_put(store, path, "a label", NULL, NULL));
	cr_assert_null(store_list(store, &list));
	cr_expect_str_eq(list.items[0].label, "a label");
	cr_assert_null(store_delete(store, &list.items[0]));
	cr_assert_null(store_put(store, path, NULL, NULL, NULL));
	cr_assert_null(store_list(store, &bare));
	cr_expect_null(bare.items[0].label);
}

Test(store_directory, puts_the_same_file_again_and_no_other)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_free_ char *text = NULL;

	make_file(NAME, "abc");
	cr_assert_null(put(NAME));
	cr_assert_null(put(NAME));
	make_file(NAME, "abd");
	err = put(NAME);
	cr_assert(error_is(err, ERROR_EXISTS));
	text = read_text("store/" NAME);
	cr_expect_str_eq(text, "abc");
}

Test(store_directory, repairs_what_a_dead_run_left)
{
	_cleanup_free_ char *stale = in_root("store/.put." NAME ".abcdef");
	_cleanup_free_ char *half = in_root("store/.put." NAME ".sha256");
	_cleanup_free_ char *sidecar = NULL;

	make_file(NAME, "abc");
	cr_assert_null(put(NAME));
	// A sidecar alone, half a copy, and half a sidecar.
	make_file("store/.put." NAME ".abcdef", "ab");
	make_file("store/.put." NAME ".sha256", "ab");
	make_file("store/" NAME ".sha256", "");
	cr_assert_null(put(NAME));
	cr_expect_not(file_exists(stale));
	cr_expect_not(file_exists(half));
	sidecar = read_text("store/" NAME ".sha256");
	cr_expect_eq(strlen(sidecar), 64 + 2 + strlen(NAME) + 1);
}

Test(store_directory, lists_packages_only_and_in_order)
{
	static const char *const others[] = {
		"README.md", ".hidden.tar.zst",	   "a.tar.zst.sha256",
		"x.tar.gz",  "with space.tar.zst", ".put.b.tar.zst.123456",
	};
	_cleanup_asset_list_ struct asset_list list = { 0 };
	_cleanup_free_ char *folder = in_root("store/folder.tar.zst");
	_cleanup_free_ char *link = in_root("store/link.tar.zst");

	cr_assert_null(directory_create(folder));
	cr_assert_eq(symlink("/etc/passwd", link), 0);
	for (size_t i = 0; i < array_size(others); i++) {
		_cleanup_free_ char *name = NULL;

		cr_assert_gt(asprintf(&name, "store/%s", others[i]), 0);
		make_file(name, "x");
	}
	make_file("store/b.tar.zst", "x");
	make_file("store/B.tar.zst", "x");
	make_file("store/c.tar.zst", "x");
	cr_assert_null(store_list(store, &list));
	cr_assert_eq(list.count, 3);
	cr_expect_str_eq(list.items[0].name, "B.tar.zst");
	cr_expect_str_eq(list.items[1].name, "b.tar.zst");
	cr_expect_str_eq(list.items[2].name, "c.tar.zst");
	// Put there by hand: usable, but nobody knows its digest.
	cr_expect_str_empty(list.items[1].digest);
}

Test(store_directory, refuses_names_that_are_none)
{
	static const char *const names[] = {
		"x.tar.gz",	    ".x.tar.zst",  "-x.tar.zst",
		".tar.zst",	    "a b.tar.zst", "a\nb.tar.zst",
		"\xc3\xa4.tar.zst", "a+b.tar.zst",
	};

	for (size_t i = 0; i < array_size(names); i++) {
		_cleanup_error_ struct error *err = NULL;

		make_file(names[i], "x");
		err = put(names[i]);
		cr_expect(error_is(err, ERROR_USAGE), "%s", names[i]);
	}
}

Test(store_directory, sees_damage)
{
	_cleanup_asset_list_ struct asset_list list = { 0 };
	_cleanup_error_ struct error *err = NULL, *size_err = NULL;
	_cleanup_error_ struct error *gone_err = NULL;
	_cleanup_free_ char *text = NULL, *path = in_root("store/" NAME);

	make_file(NAME, "abc");
	cr_assert_null(put(NAME));
	cr_assert_null(store_list(store, &list));
	make_file("store/" NAME, "abd");
	err = get(&list.items[0], &text);
	cr_assert(err);
	cr_expect(strstr(error_message(err), "damaged"), "%s",
		  error_message(err));
	make_file("store/" NAME, "ab");
	size_err = get(&list.items[0], &text);
	cr_assert(size_err);
	cr_expect(strstr(error_message(size_err), "2 bytes"), "%s",
		  error_message(size_err));
	unlink(path);
	gone_err = get(&list.items[0], &text);
	cr_expect(error_is(gone_err, ERROR_NOT_FOUND));
}

Test(store_directory, deletes_a_package_and_its_digest)
{
	_cleanup_asset_list_ struct asset_list list = { 0 };
	_cleanup_free_ char *path = in_root("store/" NAME);
	_cleanup_free_ char *sidecar = in_root("store/" NAME ".sha256");

	make_file(NAME, "abc");
	cr_assert_null(put(NAME));
	cr_assert_null(store_list(store, &list));
	cr_assert_null(store_delete(store, &list.items[0]));
	cr_expect_not(file_exists(path));
	cr_expect_not(file_exists(sidecar));
	cr_assert_null(store_delete(store, &list.items[0]));
}

Test(store_directory, writes_its_page_only_when_it_changes)
{
	_cleanup_free_ char *text = NULL, *path = in_root("store/README.md");
	struct stat before, same, changed;

	cr_assert_null(store_describe(store, "# Kernels\n"));
	cr_assert_eq(stat(path, &before), 0);
	cr_assert_null(store_describe(store, "# Kernels\n"));
	cr_assert_eq(stat(path, &same), 0);
	cr_expect_eq(before.st_ino, same.st_ino);
	cr_assert_null(store_describe(store, "# No kernels\n"));
	cr_assert_eq(stat(path, &changed), 0);
	cr_expect_neq(before.st_ino, changed.st_ino);
	text = read_text("store/README.md");
	cr_expect_str_eq(text, "# No kernels\n");
}

Test(store_directory, counts_the_characters_of_a_page)
{
	enum {
		LIMIT = STORE_PAGE_MAX
	};
	_cleanup_free_ char *markdown = malloc(2 * LIMIT + 2);
	_cleanup_error_ struct error *err = NULL;

	for (size_t i = 0; i < LIMIT; i++)
		memcpy(markdown + 2 * i, "\xc3\xa4", 2);
	markdown[2 * LIMIT] = '\0';
	cr_assert_null(store_describe(store, markdown));
	strcat(markdown, "x");
	err = store_describe(store, markdown);
	cr_assert(err);
	cr_expect(strstr(error_message(err), "125001"), "%s", error_message(err));
}

Test(store_directory, says_how_stores_are_written)
{
	static const char *const names[] = {
		"",
		"dir:",
		"folder",
		"s3:bucket",
		"github:",
		"github:o/r",
		"github:o@t",
		"github:o/r/x@t",
		"github:o/r@",
		"github:o/..@t",
		"github:o/r@../x",
		"github:o/r@a b",
		"github:o/r?x@t",
		"github:/r@t",
	};

	for (size_t i = 0; i < array_size(names); i++) {
		struct store *other = NULL;
		_cleanup_error_ struct error *err =
			store_create(names[i], NULL, &other);

		cr_expect(error_is(err, ERROR_USAGE), "%s", names[i]);
		store_destroy(other);
	}
}
