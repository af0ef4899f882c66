// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"

static struct catalog *catalog;
static struct string_list kernels_wanted, archs_wanted, flavors_wanted;
static struct plan_selection selection = {
	.wanted = { &kernels_wanted, &archs_wanted, &flavors_wanted },
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

static size_t flavors_of(const struct catalog_arch *arch,
			 const struct kernel_version *version)
{
	size_t flavors = 0;

	if (!version_range_contains(&arch->versions, version))
		return 0;
	for (size_t i = 0; i < catalog->flavor_count; i++)
		flavors += catalog_flavor_is_for(&catalog->flavors[i], arch,
						 version);
	return flavors;
}

/** Kernels of the versions that the catalog's architectures can have. */
static size_t packages_of(size_t first, size_t count)
{
	size_t packages = 0;

	for (size_t i = first; i < first + count; i++) {
		for (size_t j = 0; j < catalog->arch_count; j++)
			packages += flavors_of(&catalog->archs[j],
					       &items[i].version);
	}
	return packages;
}

Test(plan, lists_all_that_an_empty_store_lacks_newest_first)
{
	cr_assert_null(compute(empty));
	// riscv64 begins with 6.12.
	cr_assert_eq(plan.count, (3 * 6 - 1) * catalog->flavor_count);
	cr_expect_eq(plan.count, packages_of(0, 3));
	cr_expect_str_eq(plan.items[0].release_text, "7.2.13-vmtest1.1default");
	cr_expect_str_eq(plan.items[plan.count - 1].release_text,
			 "6.11.0-vmtest1.0tiny");
}

Test(plan, what_the_store_has_in_any_patch_is_planned_only_to_be_rebuilt)
{
	static const char *const names[] = {
		"kernel-7.2.13-vmtest1.0tiny.x86_64.tar.zst",
		"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
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
	string_list_add(&kernels_wanted, "6.12.*tiny");
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
	cr_expect_eq(plan.left_out, packages_of(0, 3) - 2);
	cr_expect_eq(plan.items[1].release.version.major, 7);
}

Test(plan, latest_stable_is_one_version)
{
	selection.latest_stable = true;
	cr_assert_null(compute(empty));
	cr_assert_eq(plan.count, packages_of(0, 1));
	for (size_t i = 0; i < plan.count; i++)
		cr_expect_eq(plan.items[i].release.version.patch, 13);
}

Test(plan, an_architecture_that_is_off_is_planned_where_it_is_named_alone)
{
	size_t all = packages_of(0, 3);

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

static struct catalog_arch made_archs[] = { { .name = "x86_64" },
					    { .name = "arm" } };
static const struct catalog made_catalog = { .archs = made_archs,
					     .arch_count = 2 };
static struct plan_item made[] = {
	{ .release_text = "7.3.0-rc2-vmtest1.0.1tiny", &made_archs[0] },
	{ .release_text = "6.12.117-vmtest1.1default", &made_archs[0] },
	{ .release_text = "6.12.117-vmtest1.0tiny", &made_archs[0] },
};
static const struct plan made_plan = { made, array_size(made), 7 };

static void setup_made(void)
{
	for (size_t i = 0; i < array_size(made); i++)
		cr_assert(release_parse(made[i].release_text, &made[i].release));
}

TestSuite(plan_json, .init = setup_made);

Test(plan_json, a_matrix_has_a_job_for_each_item_and_versions_come_once)
{
	static const struct {
		size_t count;
		const char *matrix, *versions;
	} rows[] = {
		{ 0, "{\"include\":[]}", "{\"include\":[]}" },
		{ 1,
		  "{\"include\":[{\"release\":\"7.3.0-rc2-vmtest1.0.1tiny\",\"version\":\"7.3-rc2\","
		  "\"series\":\"7.3\",\"arch\":\"x86_64\",\"flavor\":\"tiny\"}]}",
		  "{\"include\":[{\"version\":\"7.3-rc2\"}]}" },
		{ 3, NULL,
		  "{\"include\":[{\"version\":\"7.3-rc2\"},{\"version\":\"6.12.117\"}]}" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct plan part = { made, rows[i].count, 0 };
		_cleanup_free_ char *matrix = plan_matrix_format(&part);
		_cleanup_free_ char *versions = plan_versions_format(&part);

		if (rows[i].matrix)
			cr_expect_str_eq(matrix, rows[i].matrix);
		cr_expect_str_eq(versions, rows[i].versions);
	}
}

Test(plan_json, what_is_written_is_read)
{
	_cleanup_free_ char *document = plan_document_format(&made_plan);
	_cleanup_free_ char *matrix = plan_matrix_format(&made_plan);
	_cleanup_plan_ struct plan list = { 0 }, again = { 0 };

	cr_assert_null(plan_parse(&made_catalog, document, "plan.json", &list));
	cr_assert_eq(list.count, array_size(made));
	cr_expect_eq(list.left_out, 7);
	for (size_t i = 0; i < list.count; i++) {
		cr_expect_str_eq(list.items[i].release_text,
				 made[i].release_text);
		cr_expect_eq(list.items[i].arch, &made_archs[0]);
	}
	cr_assert_null(plan_parse(&made_catalog, matrix, "matrix", &again));
	cr_expect_eq(again.count, array_size(made));
	cr_expect_eq(again.left_out, 0);
}

#define ITEM(release, arch)                                                    \
	"{\"include\": [{\"release\": " release ", \"arch\": " arch "}]}"

Test(plan_json, what_is_no_plan_is_refused_in_a_line)
{
	static const char *const texts[] = {
		"",
		"[]",
		"null",
		"{}",
		"{\"include\": {}}",
		"{\"include\": [1]}",
		"{\"include\": [], \"include\": []}",
		ITEM("\"6.12.117\"", "\"arm\""),
		ITEM("\"6.12.117-vmtest1.0tiny\"", "1"),
		ITEM("\"6.12.117-vmtest1.0tiny\"", "\"\""),
		ITEM("\"6.12.117-vmtest1.0tiny\"", "\"../../x\""),
		ITEM("\"6.12.117-vmtest1.0tiny\"", "\"a.b\""),
		ITEM("\"6.12.117-vmtest1.0tiny\"",
		     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
		ITEM("\"6.12.117-vmtest1.0../x\"", "\"arm\""),
		ITEM("\"6.12.117-vmtest1.0tiny\"", "\"vax\""),
		ITEM("null", "null"),
	};

	for (size_t i = 0; i < array_size(texts); i++) {
		_cleanup_plan_ struct plan list = { 0 };
		_cleanup_error_ struct error *err =
			plan_parse(&made_catalog, texts[i], "plan.json", &list);

		cr_assert(error_is(err, ERROR_USAGE), "%s", texts[i]);
		cr_expect_eq(strncmp(error_message(err), "plan.json: ", 11), 0);
		cr_expect_null(strchr(error_message(err), '\n'));
		cr_expect_null(list.items);
	}
}
