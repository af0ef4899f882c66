// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/prune.h"

#include <criterion/criterion.h>

#include "common/error.h"
#include "common/store.h"
#include "common/string_list.h"

static const char *const names[] = {
	"kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst",
	"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
	"kernel-6.12.117-vmtest1.0.1tiny.x86_64.tar.zst",
	"kernel-6.12.115-vmtest1.1default.x86_64.tar.zst",
	"kernel-6.12.115-vmtest1.0tiny.aarch64.tar.zst",
	"kernel-6.11.1-vmtest1.0tiny.x86_64.tar.zst",
	"README.md",
};

static void expect_pruned(size_t keep, const char *pattern,
			  const size_t *expected, size_t count)
{
	struct asset items[array_size(names)];
	struct asset_list assets = { items, array_size(names) };
	_cleanup_string_list_ struct string_list patterns = STRING_LIST_INIT;
	_cleanup_prune_list_ struct prune_list list = { 0 };

	if (pattern)
		string_list_add(&patterns, pattern);
	for (size_t i = 0; i < array_size(names); i++)
		items[i] = (struct asset){ .name = (char *)names[i] };
	cr_assert_null(prune_compute(&assets, keep, &patterns, &list));
	cr_assert_eq(list.count, count);
	for (size_t i = 0; i < count; i++)
		cr_expect_str_eq(list.items[i]->name, names[expected[i]]);
}

Test(prune, keeps_the_newest_of_each_kind_and_what_is_no_package)
{
	expect_pruned(1, NULL, (const size_t[]){ 0, 1 }, 2);
}

Test(prune, keeps_as_many_as_asked)
{
	expect_pruned(2, NULL, (const size_t[]){ 0 }, 1);
	expect_pruned(3, NULL, NULL, 0);
}

Test(prune, patterns_limit_it)
{
	expect_pruned(1, "6.12.115", (const size_t[]){ 0 }, 1);
	expect_pruned(1, "6.11", NULL, 0);
}
