// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan.h"

#include <criterion/criterion.h>
#include <string.h>

#include "bot/poll.h"
#include "common/catalog.h"
#include "common/error.h"
#include "common/store.h"

static struct string_list none;
static struct catalog *catalog;

static void setup(void)
{
	cr_assert_null(catalog_load(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				    NULL, &catalog));
}

static void teardown(void)
{
	catalog_destroy(catalog);
}

TestSuite(plan, .init = setup, .fini = teardown);

/** A store that has these names. */
static struct asset_list assets_of(struct asset *items,
				   const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		items[i] = (struct asset){ .name = (char *)names[i] };
	return (struct asset_list){ items, count };
}

static const struct series_item items[] = {
	{ { 7, 2, 13, 0 }, true },
	{ { 6, 12, 117, 0 }, true },
	{ { 6, 11, 0, 0 }, false },
};
static const struct series_list kernels = {
	.items = (struct series_item *)items,
	.count = array_size(items),
	.has_latest_stable = true,
	.latest_stable = { 7, 2, 13, 0 },
};

static struct plan_selection everything(void)
{
	return (struct plan_selection){
		.kernels = &none,
		.archs = &none,
		.flavors = &none,
	};
}

Test(plan, lists_all_that_an_empty_store_lacks_newest_first)
{
	_cleanup_plan_ struct plan plan = { 0 };
	struct asset_list assets = { 0 };
	struct plan_selection selection = everything();

	cr_assert_null(
		plan_compute(catalog, &kernels, &assets, &selection, &plan));
	cr_assert_eq(plan.count, array_size(items) * catalog->arch_count *
					 catalog->flavor_count);
	cr_expect_str_eq(plan.items[0].release_text, "7.2.13-vmtest1.1default");
	cr_expect_str_eq(plan.items[plan.count - 1].release_text,
			 "6.11.0-vmtest1.0tiny");
}

Test(plan, what_the_store_has_in_any_patch_is_not_planned)
{
	_cleanup_plan_ struct plan plan = { 0 };
	static const char *const names[] = {
		"kernel-7.2.13-vmtest1.0tiny.x86_64.tar.zst",
		"kernel-6.12.117-vmtest1.0.2tiny.x86_64.tar.zst",
		"kernel-6.11.0-vmtest1.0tiny.aarch64.tar.zst",
		"kernel-6.11.0-vmtest2.0tiny.x86_64.tar.zst",
		"README.md",
	};
	struct asset storage[array_size(names)];
	struct asset_list assets = assets_of(storage, names, array_size(names));
	_cleanup_string_list_ struct string_list tiny = STRING_LIST_INIT;
	struct plan_selection selection = everything();

	string_list_add(&tiny, "tiny");
	selection.flavors = &tiny;
	cr_assert_null(
		plan_compute(catalog, &kernels, &assets, &selection, &plan));
	cr_assert_eq(plan.count, 1);
	cr_expect_str_eq(plan.items[0].release_text, "6.11.0-vmtest1.0tiny");
}

Test(plan, a_rebuild_takes_the_next_patch)
{
	_cleanup_plan_ struct plan plan = { 0 };
	static const char *const names[] = {
		"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
		"kernel-6.12.117-vmtest1.0.2tiny.x86_64.tar.zst",
	};
	struct asset storage[array_size(names)];
	struct asset_list assets = assets_of(storage, names, array_size(names));
	_cleanup_string_list_ struct string_list wanted = STRING_LIST_INIT;
	struct plan_selection selection = everything();

	string_list_add(&wanted, "6.12.*tiny");
	selection.kernels = &wanted;
	selection.rebuild = true;
	cr_assert_null(
		plan_compute(catalog, &kernels, &assets, &selection, &plan));
	cr_assert_eq(plan.count, 1);
	cr_expect_str_eq(plan.items[0].release_text, "6.12.117-vmtest1.0.3tiny");
}

Test(plan, the_limit_keeps_the_newest_and_counts_the_rest)
{
	_cleanup_plan_ struct plan plan = { 0 };
	struct asset_list assets = { 0 };
	struct plan_selection selection = everything();

	selection.limit = 2;
	cr_assert_null(
		plan_compute(catalog, &kernels, &assets, &selection, &plan));
	cr_expect_eq(plan.count, 2);
	cr_expect_eq(plan.left_out, array_size(items) * catalog->arch_count *
						    catalog->flavor_count -
					    2);
	cr_expect_eq(plan.items[1].release.version.major, 7);
}

Test(plan, latest_stable_is_one_version)
{
	_cleanup_plan_ struct plan plan = { 0 };
	struct asset_list assets = { 0 };
	struct plan_selection selection = everything();

	selection.latest_stable = true;
	cr_assert_null(
		plan_compute(catalog, &kernels, &assets, &selection, &plan));
	cr_assert_eq(plan.count, catalog->arch_count * catalog->flavor_count);
	for (size_t i = 0; i < plan.count; i++)
		cr_expect_eq(plan.items[i].release.version.patch, 13);
}

Test(plan, a_pattern_that_means_nothing_is_a_usage_error)
{
	struct asset_list assets = { 0 };
	_cleanup_plan_ struct plan plan = { 0 };
	_cleanup_string_list_ struct string_list wrong = STRING_LIST_INIT;
	struct plan_selection selection = everything();
	_cleanup_error_ struct error *err = NULL;

	string_list_add(&wrong, "6.13.nothing");
	selection.kernels = &wrong;
	err = plan_compute(catalog, &kernels, &assets, &selection, &plan);
	cr_assert(error_is(err, ERROR_USAGE));
	cr_expect(strstr(error_message(err), "6.13.nothing"));
}
