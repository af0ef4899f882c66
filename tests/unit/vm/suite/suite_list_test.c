// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_list.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static struct suite suite;

static void setup(void)
{
	static const char *const kernels[] = { "6.1.5-vmtest1.0tiny",
					       "6.6.7-vmtest1.0tiny",
					       "6.12.8-vmtest1.0tiny",
					       "7.0.1-vmtest1.0tiny" };

	enter_tmp();
	for (size_t i = 0; i < array_size(kernels); i++) {
		suite_add_directory(&suite, kernels[i],
				    i % 2 ? "arm" : "x86_64", kernels[i]);
		strcpy(suite.items[i].digest, i % 2 ? "" : "d0");
		suite.items[i].state = i < 2 ? SUITE_FAILED : SUITE_PASSED;
	}
}

static void teardown(void)
{
	suite_deinit(&suite);
	teardown_tmp();
}

TestSuite(suite_list, .init = setup, .fini = teardown);

static char *names(void)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	for (size_t i = 0; i < suite.count; i++)
		string_builder_appendf(&sb, "%s ", suite.items[i].name);
	return string_builder_take(&sb);
}

static void write_list(bool failed_only, const char *path)
{
	_cleanup_free_ char *text = suite_list_format(&suite, failed_only);

	put_file(".", path, text);
}

Test(suite_list, it_can_be_read_again)
{
	_cleanup_suite_list_ struct suite_list all = { 0 };
	_cleanup_suite_list_ struct suite_list failed = { 0 };

	write_list(false, "all.json");
	expect_success(suite_list_read("all.json", &all));
	cr_expect_eq(all.count, 4);
	expect_success(suite_check_list(&suite, &all, "all.json"));
	cr_expect_str_eq(all.items[1].arch, "arm");

	write_list(true, "failed.json");
	expect_success(suite_list_read("failed.json", &failed));
	suite_keep_listed(&suite, &failed, true);
	_cleanup_free_ char *kept = names();
	cr_expect_str_eq(kept, "6.1.5-vmtest1.0tiny 6.6.7-vmtest1.0tiny ");
	expect_kind(suite_check_list(&suite, &all, "all.json"), ERROR_NOT_FOUND,
		    "all.json: 6.12.8-vmtest1.0tiny for x86_64 is neither on disk nor in the store");

	// A kernel's digest is not always known.
	strcpy(suite.items[1].digest, "d1");
	expect_success(suite_check_list(&suite, &failed, "failed.json"));
	strcpy(suite.items[0].digest, "d1");
	expect_kind(suite_check_list(&suite, &failed, "failed.json"),
		    ERROR_OTHER, "has the digest d1, and not d0");
}

Test(suite_list, what_has_changed_supersedes_its_like)
{
	_cleanup_suite_list_ struct suite_list list = { 0 };

	write_list(false, "all.json");
	expect_success(suite_list_read("all.json", &list));
	suite_keep_listed(&suite, &list, false);
	cr_expect_eq(suite.count, 0);
	suite_add_directory(&suite, "6.1.5-vmtest1.0tiny", "x86_64",
			    "6.1.5-vmtest1.0tiny");
	suite_add_directory(&suite, "6.6.9-vmtest1.0tiny", "arm",
			    "6.6.9-vmtest1.0tiny");
	suite_add_directory(&suite, "6.6.9-vmtest1.0tiny", "x86_64",
			    "6.6.9-vmtest1.0tiny");
	strcpy(suite.items[0].digest, "d1");
	suite_keep_listed(&suite, &list, false);
	cr_assert_eq(suite.count, 3);
	cr_expect_eq(suite_list_find_kind(&list, &suite.items[0]),
		     &list.items[0]);
	cr_expect_eq(suite_list_find_kind(&list, &suite.items[1]),
		     &list.items[1]);
	cr_expect_null(suite_list_find_kind(&list, &suite.items[2]));
}

Test(suite_list, mistakes_are_told)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "{}", "f.json: expected a list" },
		{ "[{}]", "f.json: [0].kernel: expected a string" },
		{ "[{\"kernel\": \"x\", \"arch\": \"../x\"}]", "[0].arch: " },
		{ "[", "f.json: not valid JSON" },
	};
	struct suite_list list;

	for (size_t i = 0; i < array_size(rows); i++) {
		put_file(".", "f.json", rows[i].text);
		expect_kind(suite_list_read("f.json", &list), ERROR_USAGE,
			    rows[i].words);
	}
	expect_kind(suite_list_read("none.json", &list), ERROR_NOT_FOUND,
		    "none.json");
}

Test(suite_list, an_order_follows_from_its_seed)
{
	_cleanup_free_ char *before = names();

	suite_shuffle(&suite, 5);
	_cleanup_free_ char *first = names();
	cr_expect_str_neq(first, before);
	cr_expect_eq(strlen(first), strlen(before));
	suite_deinit(&suite);
	teardown_tmp();
	setup();
	suite_shuffle(&suite, 5);
	_cleanup_free_ char *second = names();
	cr_expect_str_eq(second, first);
}
