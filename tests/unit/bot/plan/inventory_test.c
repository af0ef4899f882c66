// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/text.h"
#include "common/store/store.h"
#include "tests/unit/errors.h"

// In order of name; the numbers are ages.
static struct asset items[] = {
	{ .name = (char *)"kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst",
	  .created = 7 },
	{ .name = (char *)"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
	  .created = 9 },
	{ .name = (char *)"kernel-6.12.117-vmtest1.0.1tiny.x86_64.tar.zst",
	  .created = 10 },
	{ .name = (char *)"kernel-6.12.115-vmtest1.1default.x86_64.tar.zst",
	  .created = 2 },
	{ .name = (char *)"kernel-6.12.115-vmtest1.0tiny.aarch64.tar.zst",
	  .created = 1 },
	{ .name = (char *)"kernel-6.11.1-vmtest1.0tiny.x86_64.tar.zst",
	  .created = 5 },
	{ .name = (char *)"kernel-6.11.2-vmtest1.0tiny.x86_64.tar.zst",
	  .created = 6 },
	{ .name = (char *)"README.md" },
};
static const struct asset_list assets = { items, array_size(items) };

Test(inventory, holds_packages_alone)
{
	_cleanup_inventory_ struct inventory inventory = { 0 };

	inventory_read(&assets, &inventory);
	cr_assert_eq(inventory.count, array_size(items) - 1);
	cr_expect_eq(inventory.items[2].asset, &items[2]);
	cr_expect_eq(inventory.items[2].release.patch, 1);
	cr_expect_str_eq(inventory.items[4].arch, "aarch64");
}

Test(inventory, has_a_release_in_any_patch)
{
	static const struct {
		const char *release, *arch;
		bool has;
		unsigned int patch;
	} rows[] = {
		{ "6.12.117-vmtest1.0tiny", "x86_64", true, 1 },
		{ "6.12.117-vmtest1.0.7tiny", "x86_64", true, 1 },
		{ "6.12.115-vmtest1.0tiny", "aarch64", true, 0 },
		{ "6.12.117-vmtest1.0tiny", "s390x", false, 0 },
		{ "6.12.117-vmtest2.0tiny", "x86_64", false, 0 },
		{ "6.12.117-vmtest1.1default", "x86_64", false, 0 },
		{ "6.12.116-vmtest1.0tiny", "x86_64", false, 0 },
	};
	_cleanup_inventory_ struct inventory inventory = { 0 };

	inventory_read(&assets, &inventory);
	for (size_t i = 0; i < array_size(rows); i++) {
		struct release release;
		unsigned int patch = 99;

		cr_assert(release_parse(rows[i].release, &release));
		cr_expect_eq(inventory_has(&inventory, &release, rows[i].arch,
					   &patch),
			     rows[i].has, "%s", rows[i].release);
		cr_expect_eq(patch, rows[i].patch, "%s", rows[i].release);
	}
}

enum {
	NONE = array_size(items),
	DAY_S = 24 * 3600,
	NOW_S = 1800000000,
};

/** @param[in] expected Indices of assets, ended by NONE. */
static void expect_pruned(const struct prune_list *list, const size_t *expected,
			  size_t row)
{
	size_t count = 0;

	for (; expected[count] != NONE; count++)
		cr_expect(count < list->count &&
				  list->items[count] == &items[expected[count]],
			  "row %zu", row);
	cr_expect_eq(list->count, count, "row %zu", row);
}

Test(prune, keeps_the_newest_of_each_kind_and_what_is_not_asked_for)
{
	static const struct {
		size_t keep;
		/** Comma-separated. */
		const char *kernels, *archs, *flavors;
		/** Ended by NONE. */
		size_t expected[8];
	} cases[] = {
		{ 1, "", "", "", { 0, 1, 5, NONE } },
		{ 2, "", "", "", { 0, NONE } },
		{ 3, "", "", "", { NONE } },
		{ 0, "", "", "", { 0, 1, 2, 3, 4, 5, 6, NONE } },
		{ KEEP_ALL, "", "", "", { NONE } },
		{ 1, "6.12.115", "", "", { 0, NONE } },
		{ 1, "5.10", "", "", { NONE } },
		{ 1, "", "aarch64", "", { NONE } },
		{ 1, "", "aarch64,x86_64", "", { 0, 1, 5, NONE } },
		{ 1, "", "", "default", { NONE } },
		{ 1, "6.12", "", "default,tiny", { 0, 1, NONE } },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_string_list_ struct string_list kernels = { 0 };
		_cleanup_string_list_ struct string_list archs = { 0 };
		_cleanup_string_list_ struct string_list flavors = { 0 };
		const struct release_selection selection = { &kernels, &archs,
							     &flavors };
		_cleanup_prune_list_ struct prune_list list = { 0 };

		string_list_add_split(&kernels, cases[i].kernels);
		string_list_add_split(&archs, cases[i].archs);
		string_list_add_split(&flavors, cases[i].flavors);
		const struct prune_rule rule = { cases[i].keep, INT64_MAX };
		prune_compute(&assets, &rule, &selection, &list);
		expect_pruned(&list, cases[i].expected, i);
	}
}

Test(prune, what_was_superseded_a_short_time_ago_stays)
{
	static const struct string_list all = { 0 };
	static const struct release_selection everything = { &all, &all, &all };
	// The newer of two is a day old.
	struct asset two[] = {
		{ .name = (char *)"kernel-6.12.116-vmtest1.0tiny.x86_64.tar.zst",
		  .created = NOW_S - 9 * DAY_S },
		{ .name = (char *)"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
		  .created = NOW_S - DAY_S },
	};
	const struct asset_list both = { two, array_size(two) };

	for (int days = 0; days < 4; days++) {
		_cleanup_prune_list_ struct prune_list list = { 0 };
		const struct prune_rule rule = { 1, NOW_S - days * DAY_S };

		prune_compute(&both, &rule, &everything, &list);
		cr_expect_eq(list.count, days < 2, "after %d days", days);
	}
}

static struct error *make_room(size_t used, size_t planned, size_t keep,
			       struct prune_list *ret)
{
	const struct store_room room = { .used = used, .limit = 1000 };

	return prune_make_room(&assets, &room, planned, keep, ret);
}

Test(prune, the_oldest_that_are_superseded_go_and_no_more)
{
	static const struct {
		size_t used, planned, keep;
		/** Ended by NONE. */
		size_t expected[4];
	} rows[] = {
		{ 0, 1000, 1, { NONE } },
		{ 744, 256, 1, { NONE } },
		{ 1000, 0, 1, { NONE } },
		{ 990, 11, 1, { 5, NONE } },
		{ 990, 12, 1, { 5, 0, NONE } },
		{ 990, 13, 1, { 5, 0, 1, NONE } },
		{ 1000, 1, 2, { 0, NONE } },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_prune_list_ struct prune_list list = { 0 };

		cr_assert_null(make_room(rows[i].used, rows[i].planned,
					 rows[i].keep, &list));
		expect_pruned(&list, rows[i].expected, i);
	}
	_cleanup_prune_list_ struct prune_list list = { 0 };
	const struct store_room endless = { .used = 5000 };
	cr_assert_null(prune_make_room(&assets, &endless, 5000, 1, &list));
	cr_expect_eq(list.count, 0);
}

Test(prune, too_much_is_an_error_that_counts)
{
	_cleanup_prune_list_ struct prune_list list = { 0 };

	expect_failure(make_room(990, 14, 1, &list),
		       "14 more kernels do not fit");
	expect_failure(make_room(990, 14, 1, &list),
		       "990 assets of at most 1000");
	expect_failure(make_room(990, 14, 1, &list), "only 3 of them");
	// Half uploads and what is none of ours take room, too.
	expect_failure(make_room(2000, 0, 1, &list), "");
	cr_expect_eq(list.count, 0);
}
