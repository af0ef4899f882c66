// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/prune.h"

#include <criterion/criterion.h>

#include "common/base/error.h"
#include "common/base/string_list.h"
#include "common/kernel/release.h"
#include "common/store/store.h"

static const char *const names[] = {
	"kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst",
	"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
	"kernel-6.12.117-vmtest1.0.1tiny.x86_64.tar.zst",
	"kernel-6.12.115-vmtest1.1default.x86_64.tar.zst",
	"kernel-6.12.115-vmtest1.0tiny.aarch64.tar.zst",
	"kernel-6.11.1-vmtest1.0tiny.x86_64.tar.zst",
	"README.md",
};

static const struct string_list all = STRING_LIST_INIT;

static void expect_selected_pruned(size_t keep,
				   const struct release_selection *selection,
				   const size_t *expected, size_t count)
{
	struct asset items[array_size(names)];
	struct asset_list assets = { items, array_size(names) };
	_cleanup_prune_list_ struct prune_list list = { 0 };

	for (size_t i = 0; i < array_size(names); i++)
		items[i] = (struct asset){ .name = (char *)names[i] };
	cr_assert_null(prune_compute(&assets, keep, selection, &list));
	cr_assert_eq(list.count, count);
	for (size_t i = 0; i < count; i++)
		cr_expect_str_eq(list.items[i]->name, names[expected[i]]);
}

static void expect_pruned(size_t keep, const char *pattern,
			  const size_t *expected, size_t count)
{
	_cleanup_string_list_ struct string_list patterns = STRING_LIST_INIT;
	const struct release_selection selection = { &patterns, &all, &all };

	if (pattern)
		string_list_add(&patterns, pattern);
	expect_selected_pruned(keep, &selection, expected, count);
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

Test(prune, architectures_and_flavors_limit_it)
{
	_cleanup_string_list_ struct string_list archs = STRING_LIST_INIT;
	_cleanup_string_list_ struct string_list flavors = STRING_LIST_INIT;
	const struct release_selection arch = { &all, &archs, &all };
	const struct release_selection flavor = { &all, &all, &flavors };

	string_list_add(&archs, "aarch64");
	string_list_add(&flavors, "default");
	expect_selected_pruned(1, &arch, NULL, 0);
	expect_selected_pruned(1, &flavor, NULL, 0);
	string_list_add(&archs, "x86_64");
	string_list_add(&flavors, "tiny");
	expect_selected_pruned(1, &arch, (const size_t[]){ 0, 1 }, 2);
	expect_selected_pruned(1, &flavor, (const size_t[]){ 0, 1 }, 2);
}
