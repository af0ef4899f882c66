// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/build_results.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"

static char root[] = "/tmp/build_results_test.XXXXXX";

static void setup(void)
{
	cr_assert(mkdtemp(root));
}

static void teardown(void)
{
	error_destroy(directory_remove(root));
}

TestSuite(build_results, .init = setup, .fini = teardown);

static void put(const char *folder, const char *name, const char *text)
{
	_cleanup_free_ char *directory = NULL, *path = NULL;

	directory = path_join(root, folder);
	cr_assert_null(directory_create(directory));
	path = path_join(directory, name);
	cr_assert_null(file_write(path, text, strlen(text)));
}

#define RESULT(arch)                                                           \
	"{\"release\": \"6.12.117-vmtest1.0tiny\", \"arch\": \"" arch          \
	"\", \"outcome\": \"failed\", \"phase\": \"boot\", \"seconds\": {}}"

Test(build_results, are_found_at_any_depth_and_bad_ones_passed_over)
{
	_cleanup_build_results_ struct build_results results = { 0 };
	_cleanup_free_ char *link = NULL;

	put("a", "result.json", RESULT("x86_64"));
	put("b/c/d", "other.json", RESULT("arm"));
	put("b", "bad.json", "{");
	put("b", "build.log", RESULT("s390x"));
	put("b", ".json", RESULT("ppc64"));
	link = path_join(root, "loop.json");
	cr_assert_eq(symlink(root, link), 0);
	cr_assert_null(build_results_load(root, &results));
	cr_assert_eq(results.count, 2);
	cr_expect_str_neq(results.items[0].arch, results.items[1].arch);
}

Test(build_results, a_folder_that_is_not_there_has_none)
{
	_cleanup_build_results_ struct build_results results = { 0 };

	cr_assert_null(build_results_load("/nonexistent", &results));
	cr_expect_eq(results.count, 0);
}
