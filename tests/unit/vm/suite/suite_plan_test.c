// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "tests/unit/common/kernel/two_archs.h"
#include "vm/kernel/kernel.h"

static struct catalog *catalog;

static void setup(void)
{
	struct utsname host;

	uname(&host);
	catalog = two_archs_catalog("x86_64", "s390x", host.machine);
}

static void teardown(void)
{
	catalog_destroy(catalog);
}

TestSuite(suite_plan, .init = setup, .fini = teardown);

static const struct {
	const char *name;
	bool is_on_disk;
} kernels[] = {
	{ "kernel-6.12.117-vmtest1.1default.x86_64.tar.zst", true },
	{ "kernel-6.12.111-vmtest1.0tiny.x86_64.tar.zst", true },
	{ "kernel-4.4.1-vmtest1.1default.x86_64.tar.zst", true },
	{ "kernel-6.1.9-vmtest1.0tiny.s390x.tar.zst", true },
	{ "kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst", false },
	{ "kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst", false },
	{ "kernel-6.12.115-vmtest1.0.1tiny.x86_64.tar.zst", false },
	{ "kernel-6.1.9-vmtest1.0tiny.x86_64.tar.zst", false },
	{ "kernel-7.2.1-vmtest1.1default.s390x.tar.zst", false },
	{ "kernel-6.12.117-vmtest1.0tiny.s390x.tar.zst", false },
};

static void add_kernels(struct kernel_list *list, const char *arch)
{
	struct asset assets[array_size(kernels)] = { 0 };
	const struct asset_list store = { assets, array_size(assets) };

	for (size_t i = 0; i < store.count; i++)
		assets[i].name = (char *)kernels[i].name;
	kernel_list_add_store(list, &store, arch);
	for (size_t i = 0; i < list->count; i++) {
		struct kernel_entry *entry = &list->items[i];

		if (strcmp(entry->arch, arch) == 0 &&
		    kernels[entry->asset - assets].is_on_disk)
			entry->path = string_copy("/disk");
	}
}

/** What is chosen, a word each; those to be downloaded with a `+`. Or why not. */
static char *plan(enum suite_choice choice, const char *arch_names,
		  const char *patterns, const char *flavors, bool supported)
{
	_cleanup_string_list_ struct string_list arch_list = { 0 };
	_cleanup_string_list_ struct string_list pattern_list = { 0 };
	_cleanup_string_list_ struct string_list flavor_list = { 0 };
	_cleanup_kernel_list_ struct kernel_list list = { 0 };
	_cleanup_suite_ struct suite suite = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	string_list_add_split(&arch_list, arch_names);
	string_list_add_split(&pattern_list, patterns);
	string_list_add_split(&flavor_list, flavors);
	cr_assert_null(catalog_resolve_names(catalog, &arch_list, &flavor_list));
	for (size_t i = 0; i < arch_list.count; i++)
		add_kernels(&list, arch_list.items[i]);
	const struct suite_request request = {
		.choice = choice,
		.archs = &arch_list,
		.kernels = &list,
		.patterns = &pattern_list,
		.catalog = supported ? catalog : NULL,
		.flavors = &flavor_list,
	};
	_cleanup_error_ struct error *err = suite_plan(&request, &suite);
	cr_expect(!err || error_is(err, ERROR_NOT_FOUND));
	string_builder_append(&sb, err ? error_message(err) : "");
	for (size_t i = 0; i < suite.count; i++) {
		const struct suite_item *item = &suite.items[i];

		cr_expect_eq(strncmp(item->name, item->kernel,
				     strlen(item->kernel)),
			     0);
		string_builder_appendf(&sb, "%s%s%s", i ? " " : "",
				       item->path ? "" : "+", item->name);
	}
	return string_builder_take(&sb);
}

Test(suite_plan, kernels_are_chosen_or_said_to_be_missing)
{
	// clang-format off
	static const struct {
		enum suite_choice choice;
		const char *archs, *patterns, *flavors;
		bool supported;
		const char *expected;
	} rows[] = {
		// 4.4 is on disk, but not in the catalog.
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "", "", true,
		  "6.12.117-vmtest1.1default +6.12.117-vmtest1.0tiny +6.1.9-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "", "default", true, "6.12.117-vmtest1.1default" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "6.12", "", false,
		  "6.12.117-vmtest1.1default +6.12.117-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "tiny", "", false,
		  "+6.12.117-vmtest1.0tiny +6.1.9-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "6.12.111,6.12.115", "", false,
		  "+6.12.115-vmtest1.0.1tiny 6.12.111-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "6.12.115-vmtest1.0tiny", "", false, "+6.12.115-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "4.4,6.1,tiny", "", false,
		  "+6.12.117-vmtest1.0tiny +6.1.9-vmtest1.0tiny 4.4.1-vmtest1.1default" },
		{ SUITE_EVERY_VERSION, "x86_64", "", "tiny", false,
		  "+6.1.9-vmtest1.0tiny 6.12.111-vmtest1.0tiny +6.12.115-vmtest1.0.1tiny +6.12.117-vmtest1.0tiny" },
		{ SUITE_EVERY_VERSION, "x86_64", "6.12.11?-*tiny", "", false,
		  "6.12.111-vmtest1.0tiny +6.12.115-vmtest1.0.1tiny +6.12.117-vmtest1.0tiny" },
		// Of one architecture, the names need not tell.
		{ SUITE_NEWEST_OF_SERIES, "foreign", "6.1", "", false, "6.1.9-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64,s390x", "6.1", "", false,
		  "+6.1.9-vmtest1.0tiny.x86_64 6.1.9-vmtest1.0tiny.s390x" },
		{ SUITE_NEWEST_OF_SERIES, "s390x,x86_64", "6.12.*tiny", "", false,
		  "+6.12.117-vmtest1.0tiny.s390x +6.12.117-vmtest1.0tiny.x86_64" },
		// One of them has no 4.4.
		{ SUITE_NEWEST_OF_SERIES, "all", "4.4,6.1", "", false,
		  "+6.1.9-vmtest1.0tiny.x86_64 4.4.1-vmtest1.1default.x86_64 6.1.9-vmtest1.0tiny.s390x" },
		{ SUITE_NEWEST_OF_SERIES, "all", "", "", true,
		  "6.12.117-vmtest1.1default.x86_64 +6.12.117-vmtest1.0tiny.x86_64 +6.1.9-vmtest1.0tiny.x86_64 "
		  "+7.2.1-vmtest1.1default.s390x +6.12.117-vmtest1.0tiny.s390x 6.1.9-vmtest1.0tiny.s390x" },
		// A pattern that means nothing, and an architecture without any.
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "6.12,6.13", "", true, "no kernel '6.13' for x86_64; see vmtest-vm list" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "7.2", "", true, "no kernel '7.2' for x86_64; see vmtest-vm list" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "6.1", "default", true, "no kernel '6.1' for x86_64; see vmtest-vm list" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "", "alternative", true, "no kernel '*' for x86_64; see vmtest-vm list" },
		{ SUITE_NEWEST_OF_SERIES, "all", "6.13", "", true, "no kernel '6.13' for x86_64 or s390x; see vmtest-vm list" },
		{ SUITE_NEWEST_OF_SERIES, "all", "7.2", "", true, "no kernel '*' for x86_64; see vmtest-vm list" },
		{ SUITE_NEWEST_OF_SERIES, "all", "6.12", "default", true, "no kernel '*' for s390x; see vmtest-vm list" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *chosen =
			plan(rows[i].choice, rows[i].archs, rows[i].patterns,
			     rows[i].flavors, rows[i].supported);

		cr_expect_str_eq(chosen, rows[i].expected, "row %zu: %s", i,
				 chosen);
	}
}

Test(suite_plan, directories_have_names_of_their_own)
{
	_cleanup_suite_ struct suite suite = { 0 };

	suite_add_directory(&suite, "6.1.2-vmtest1.0tiny", "arm", "/a");
	suite_add_directory(&suite, "6.1.2-vmtest1.0tiny", "arm", "/b");
	suite_add_directory(&suite, "6.1.0-amd64", "arm", "/c");
	cr_expect_str_eq(suite.items[0].name, "6.1.2-vmtest1.0tiny");
	cr_expect_str_eq(suite.items[1].name, "6.1.2-vmtest1.0tiny-2");
	cr_expect_str_eq(suite.items[1].release.flavor, "tiny");
	cr_expect_str_eq(suite.items[2].release.flavor, "");
	cr_expect_str_eq(suite.items[2].arch, "arm");
	cr_expect_str_eq(suite.items[2].kernel, "/c");
	cr_expect_str_eq(suite.items[2].path, "/c");
}

Test(suite_plan, room_is_for_what_is_not_on_disk)
{
	static const uint64_t sizes[] = { 10, 40, 20, 30 };
	_cleanup_suite_ struct suite suite = { 0 };

	for (size_t i = 0; i < array_size(sizes); i++) {
		suite_add_directory(&suite, "6.12.1", "arm", "/k");
		suite.items[i].size_bytes = sizes[i];
		if (sizes[i] != 20)
			free(take_ptr(suite.items[i].path));
	}
	cr_expect_eq(suite_room_bytes(&suite, 4), 3 * 80);
	cr_expect_eq(suite_room_bytes(&suite, 2), 3 * 70);
	cr_expect_eq(suite_room_bytes(&suite, 0), 0);
}
