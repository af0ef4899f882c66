// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite_plan.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/catalog.h"
#include "common/error.h"
#include "common/store.h"
#include "common/string_builder.h"
#include "vm/kernel.h"
#include "vm/suite.h"

enum {
	LIMIT = 16
};

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

TestSuite(suite_plan, .init = setup, .fini = teardown);

static const char *const on_disk[] = {
	"6.12.117-vmtest1.1default",
	"6.12.111-vmtest1.0tiny",
	"4.4.1-vmtest1.1default",
};
static const char *const in_store[] = {
	"kernel-6.12.117-vmtest1.1default.x86_64.tar.zst",
	"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
	"kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst",
	"kernel-6.12.115-vmtest1.0.1tiny.x86_64.tar.zst",
	"kernel-6.1.9-vmtest1.0tiny.x86_64.tar.zst",
	"kernel-7.2.1-vmtest1.1default.s390x.tar.zst",
	"README.md",
};

/** What is chosen, a word each; those to be downloaded with a `+`. */
static char *plan(enum suite_choice choice, const char *patterns,
		  const char *flavors, bool supported, struct error **err_ret)
{
	struct kernel_entry entries[LIMIT] = { 0 };
	struct asset assets[LIMIT] = { 0 };
	const struct kernel_list disk = { entries, array_size(on_disk) };
	const struct asset_list store = { assets, array_size(in_store) };
	_cleanup_string_list_ struct string_list pattern_list = STRING_LIST_INIT;
	_cleanup_string_list_ struct string_list flavor_list = STRING_LIST_INIT;
	const struct suite_request request = {
		.choice = choice,
		.arch = "x86_64",
		.disk = &disk,
		.assets = &store,
		.patterns = &pattern_list,
		.catalog = supported ? catalog : NULL,
		.flavors = &flavor_list,
	};
	_cleanup_suite_ struct suite suite = { 0 };
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	char *text;

	for (size_t i = 0; i < array_size(on_disk); i++) {
		cr_assert(release_parse(on_disk[i], &entries[i].release));
		strcpy(entries[i].text, on_disk[i]);
		entries[i].path = (char *)"/disk";
	}
	for (size_t i = 0; i < array_size(in_store); i++)
		assets[i].name = (char *)in_store[i];
	string_list_add_split(&pattern_list, patterns);
	string_list_add_split(&flavor_list, flavors);
	*err_ret = suite_plan(&request, &suite);
	for (size_t i = 0; i < suite.count; i++)
		string_builder_appendf(&sb, "%s%s%s", i ? " " : "",
				       suite.items[i].path ? "" : "+",
				       suite.items[i].name);
	cr_assert_null(string_builder_finish(&sb, &text));
	return text;
}

Test(suite_plan, kernels_are_chosen)
{
	static const struct {
		enum suite_choice choice;
		const char *patterns;
		const char *flavors;
		bool supported;
		const char *expected;
	} rows[] = {
		// 4.4 is on disk, but not in the catalog.
		{ SUITE_NEWEST_OF_SERIES, "", "", true,
		  "6.12.117-vmtest1.1default +6.12.117-vmtest1.0tiny +6.1.9-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "", "default", true,
		  "6.12.117-vmtest1.1default" },
		{ SUITE_NEWEST_OF_SERIES, "6.12", "", false,
		  "6.12.117-vmtest1.1default +6.12.117-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "tiny", "", false,
		  "+6.12.117-vmtest1.0tiny +6.1.9-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "6.12.111,6.12.115", "", false,
		  "+6.12.115-vmtest1.0.1tiny 6.12.111-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "6.12.115-vmtest1.0tiny", "", false,
		  "+6.12.115-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "4.4,6.1,tiny", "", false,
		  "+6.12.117-vmtest1.0tiny +6.1.9-vmtest1.0tiny 4.4.1-vmtest1.1default" },
		{ SUITE_EVERY_VERSION, "", "tiny", false,
		  "+6.1.9-vmtest1.0tiny 6.12.111-vmtest1.0tiny +6.12.115-vmtest1.0.1tiny +6.12.117-vmtest1.0tiny" },
		{ SUITE_EVERY_VERSION, "6.12.11?-*tiny", "", false,
		  "6.12.111-vmtest1.0tiny +6.12.115-vmtest1.0.1tiny +6.12.117-vmtest1.0tiny" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct error *err;
		_cleanup_free_ char *chosen =
			plan(rows[i].choice, rows[i].patterns, rows[i].flavors,
			     rows[i].supported, &err);

		cr_assert_null(err);
		cr_expect_str_eq(chosen, rows[i].expected, "row %zu: %s", i,
				 chosen);
	}
}

Test(suite_plan, a_pattern_that_means_nothing_is_an_error)
{
	static const struct {
		const char *patterns;
		const char *flavors;
		const char *word;
	} rows[] = {
		{ "6.12,6.13", "", "'6.13'" },
		{ "7.2", "", "'7.2' for x86_64" },
		{ "6.1", "default", "'6.1'" },
		{ "", "alternative", "no kernels" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct error *err;
		_cleanup_free_ char *chosen = plan(SUITE_NEWEST_OF_SERIES,
						   rows[i].patterns,
						   rows[i].flavors, true, &err);

		cr_assert_not_null(err);
		cr_expect(strstr(error_message(err), rows[i].word), "%s",
			  error_message(err));
		cr_expect(error_catch(&err, ERROR_NOT_FOUND));
	}
}

Test(suite_plan, folders_have_names_of_their_own)
{
	_cleanup_suite_ struct suite suite = { 0 };

	cr_assert_null(suite_add_folder(&suite, "6.1.2-vmtest1.0tiny", "/a"));
	cr_assert_null(suite_add_folder(&suite, "6.1.2-vmtest1.0tiny", "/b"));
	cr_assert_null(suite_add_folder(&suite, "6.1.0-amd64", "/c"));
	cr_expect_str_eq(suite.items[0].name, "6.1.2-vmtest1.0tiny");
	cr_expect_str_eq(suite.items[1].name, "6.1.2-vmtest1.0tiny-2");
	cr_expect(suite.items[1].has_release);
	cr_expect_not(suite.items[2].has_release);
	cr_expect(suite.items[2].is_folder);
	cr_expect_str_eq(suite.items[2].path, "/c");
}
