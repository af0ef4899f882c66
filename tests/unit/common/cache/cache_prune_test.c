// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/cache/cache.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/text.h"
#include "tests/unit/files.h"

enum {
	FILE_BYTES = 64 << 10,
};

static const struct cache_kind kinds[] = {
	{ "kernels", "*", "kernel-*" },
	{ "modules", "*/module/*/*", "*" },
	{ "roots", "*", "rootfs" },
	{ "sources", "sources", "*" },
	{ "compilers", "toolchains", "*" },
	{ "packages", "packages", "*" },
	{ "builds", "packages", ".partial.*" },
};

/** In the order of their use. */
static const char *const entries[] = {
	"sources/linux-6.12.1",
	"x86_64/kernel-6.12.1-vmtest1.0tiny",
	"x86_64/module/6.12.1/source/key",
	"s390x/rootfs",
	"packages/key",
	"packages/.partial.other",
	"toolchains/gcc",
};

// Nothing of it is a pattern.
static const char root[] = "cache[a-z]*";

static void setup(void)
{
	static char text[FILE_BYTES + 1];

	interrupt_catch();
	enter_tmp();
	memset(text, 'x', FILE_BYTES);
	for (size_t i = 0; i < array_size(entries); i++) {
		_cleanup_free_ char *path = path_join(root, entries[i]);
		struct timespec times[2] = { { .tv_sec = 1000 + (time_t)i },
					     { .tv_sec = 1000 + (time_t)i } };

		put_file(path, "file", text);
		cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	}
	put_file(root, "x86_64/other/file", "no entry");
}

TestSuite(cache_list, .init = setup, .fini = teardown_tmp);

/** Which entries are there, in a bit each. */
static unsigned int there(void)
{
	unsigned int bits = 0;

	for (size_t i = 0; i < array_size(entries); i++) {
		_cleanup_free_ char *path = path_join(root, entries[i]);

		bits |= (unsigned int)directory_exists(path) << i;
	}
	return bits;
}

Test(cache_list, has_every_kind_with_its_size_and_last_use)
{
	_cleanup_cache_list_ struct cache_list list = { 0 };

	cr_assert_null(cache_list_load(root, kinds, array_size(kinds), &list));
	cr_assert_eq(list.count, array_size(entries));
	cr_expect_str_eq(list.items[0].kind, "kernels");
	cr_expect_eq(list.items[0].used_s, 1001);
	for (size_t i = 0; i < list.count; i++)
		cr_expect_geq(list.items[i].size_bytes, FILE_BYTES);
	cr_expect_geq(cache_list_size(&list), list.count * FILE_BYTES);
}

Test(cache_list, what_was_not_used_for_longest_goes_first)
{
	_cleanup_cache_list_ struct cache_list list = { 0 };
	_cleanup_string_list_ struct string_list deleted = { 0 };
	struct cache_limits limits = { .has_size = true };

	cr_assert_null(cache_list_load(root, kinds, array_size(kinds), &list));
	limits.size_bytes = cache_list_size(&list) - 1;
	for (int i = 0; i < 2; i++) {
		cr_assert_null(cache_list_limit(&list, &limits, false, &deleted));
		cr_expect_eq(deleted.count, 1);
		cr_expect_eq(list.count, array_size(entries) - 1);
		cr_expect_eq(there(), 0x7e);
	}
	limits.size_bytes = 0;
	cr_assert_null(cache_list_limit(&list, &limits, false, &deleted));
	cr_expect_eq(there(), 0);
	cr_expect_eq(list.count, 0);
}

Test(cache_list, what_is_in_use_stays)
{
	_cleanup_cache_list_ struct cache_list list = { 0 };
	_cleanup_string_list_ struct string_list deleted = { 0 };
	_cleanup_cache_entry_ struct cache_entry *entry = NULL;
	_cleanup_free_ char *path = path_join(root, entries[1]);
	const struct cache_limits limits = { .has_size = true };

	cr_assert_null(cache_hold(path, &entry));
	cr_assert_null(cache_list_load(root, kinds, array_size(kinds), &list));
	cr_assert_null(cache_list_limit(&list, &limits, false, &deleted));
	cr_expect_eq(there(), 2);
	cr_expect_eq(list.count, 1);
}

Test(cache_list, the_rest_of_a_build_waits_for_the_next_run)
{
	static const char partial[] = "sources/.partial.x";
	static const char deleted[] = "packages/.vmtest-deleted.abcdef";

	put_file(root, "sources/.partial.x/file", "");
	put_file(root, "packages/.vmtest-deleted.abcdef/file", "");
	cr_assert_null(cache_clean_all(root, "*", "packages"));
	cr_expect_not(is_there(root, partial));
	cr_expect_not(is_there(root, deleted));
	cr_expect_eq(there(), 0x7f);
}
