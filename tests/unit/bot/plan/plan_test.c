// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan.h"

#include <criterion/criterion.h>
#include <string.h>

#include "bot/plan/poll.h"
#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"

static struct catalog *catalog;
static struct string_list kernels_wanted, archs_wanted, flavors_wanted;
static struct plan_selection selection = {
	.kernels = &kernels_wanted,
	.archs = &archs_wanted,
	.flavors = &flavors_wanted,
};
static struct plan plan;

static void setup(void)
{
	cr_assert_null(catalog_load(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				    NULL, &catalog));
}

static void teardown(void)
{
	plan_deinit(&plan);
	string_list_deinit(&kernels_wanted);
	string_list_deinit(&archs_wanted);
	string_list_deinit(&flavors_wanted);
	catalog_destroy(catalog);
}

TestSuite(plan, .init = setup, .fini = teardown);

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

/** Plan for a store that has these names, ended by NULL. */
static struct error *compute(const char *const *names)
{
	struct asset storage[8];
	struct asset_list assets = { .items = storage };

	for (; *names; names++)
		storage[assets.count++] =
			(struct asset){ .name = (char *)*names };
	plan_deinit(&plan);
	return plan_compute(catalog, &kernels, &assets, &selection, &plan);
}

static const char *const empty[] = { NULL };

/** Kernels of a version that the catalog's architectures can have. */
static size_t packages_of(const struct kernel_version *version)
{
	size_t count = 0;

	for (size_t i = 0; i < catalog->arch_count; i++) {
		const struct catalog_arch *arch = &catalog->archs[i];

		if (arch->enabled &&
		    version_range_contains(&arch->versions, version))
			count += catalog->flavor_count;
	}
	return count;
}

static size_t all_packages(void)
{
	size_t count = 0;

	for (size_t i = 0; i < array_size(items); i++)
		count += packages_of(&items[i].version);
	return count;
}

Test(plan, lists_all_that_an_empty_store_lacks_newest_first)
{
	cr_assert_null(compute(empty));
	// riscv64 begins with 6.12.
	cr_assert_eq(plan.count, (3 * 6 - 1) * catalog->flavor_count);
	cr_expect_eq(plan.count, all_packages());
	cr_expect_str_eq(plan.items[0].release_text, "7.2.13-vmtest1.1default");
	cr_expect_str_eq(plan.items[plan.count - 1].release_text,
			 "6.11.0-vmtest1.0tiny");
}

Test(plan, what_the_store_has_in_any_patch_is_not_planned)
{
	static const char *const names[] = {
		"kernel-7.2.13-vmtest1.0tiny.x86_64.tar.zst",
		"kernel-6.12.117-vmtest1.0.2tiny.x86_64.tar.zst",
		"kernel-6.11.0-vmtest1.0tiny.aarch64.tar.zst",
		"kernel-6.11.0-vmtest2.0tiny.x86_64.tar.zst",
		"README.md",
		NULL,
	};

	string_list_add(&flavors_wanted, "tiny");
	string_list_add(&archs_wanted, "x86_64");
	cr_assert_null(compute(names));
	cr_assert_eq(plan.count, 1);
	cr_expect_str_eq(plan.items[0].release_text, "6.11.0-vmtest1.0tiny");
}

Test(plan, a_rebuild_takes_the_next_patch)
{
	static const char *const names[] = {
		"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
		"kernel-6.12.117-vmtest1.0.2tiny.x86_64.tar.zst",
		NULL,
	};

	string_list_add(&kernels_wanted, "6.12.*tiny");
	string_list_add(&archs_wanted, "x86_64");
	selection.rebuild = true;
	cr_assert_null(compute(names));
	cr_assert_eq(plan.count, 1);
	cr_expect_str_eq(plan.items[0].release_text, "6.12.117-vmtest1.0.3tiny");
}

Test(plan, the_limit_keeps_the_newest_and_counts_the_rest)
{
	selection.limit = 2;
	cr_assert_null(compute(empty));
	cr_expect_eq(plan.count, 2);
	cr_expect_eq(plan.left_out, all_packages() - 2);
	cr_expect_eq(plan.items[1].release.version.major, 7);
}

Test(plan, latest_stable_is_one_version)
{
	selection.latest_stable = true;
	cr_assert_null(compute(empty));
	cr_assert_eq(plan.count, packages_of(&items[0].version));
	for (size_t i = 0; i < plan.count; i++)
		cr_expect_eq(plan.items[i].release.version.patch, 13);
}

Test(plan, an_architecture_that_is_off_is_planned_where_it_is_named_alone)
{
	size_t all = all_packages();

	for (size_t i = 0; i < catalog->arch_count; i++) {
		if (strcmp(catalog->archs[i].name, "arm") == 0)
			catalog->archs[i].enabled = false;
	}
	cr_assert_null(compute(empty));
	cr_expect_eq(plan.count, all - 3 * catalog->flavor_count);
	string_list_add(&archs_wanted, "arm");
	cr_assert_null(compute(empty));
	cr_expect_eq(plan.count, 3 * catalog->flavor_count);
}

Test(plan, a_pattern_that_means_nothing_is_a_usage_error)
{
	string_list_add(&kernels_wanted, "6.13.nothing");
	_cleanup_error_ struct error *err = compute(empty);
	cr_assert(error_is(err, ERROR_USAGE));
	cr_expect(strstr(error_message(err), "6.13.nothing"));
}
