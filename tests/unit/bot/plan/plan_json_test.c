// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan_json.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "bot/plan/plan.h"
#include "common/base/error.h"
#include "common/kernel/catalog.h"

static const struct catalog_arch arch = { .name = "x86_64" };
static const struct catalog_flavor tiny = { .name = "tiny" };
static const struct catalog_flavor standard = { .name = "default" };
static struct plan_item items[] = {
	{ .release_text = "7.3.0-rc2-vmtest1.0.1tiny", &arch, &tiny },
	{ .release_text = "6.12.117-vmtest1.1default", &arch, &standard },
	{ .release_text = "6.12.117-vmtest1.0tiny", &arch, &tiny },
};
static const struct plan plan = { items, array_size(items), 7 };

static void setup(void)
{
	for (size_t i = 0; i < array_size(items); i++)
		cr_assert(release_parse(items[i].release_text, &items[i].release));
}

TestSuite(plan_json, .init = setup);

Test(plan_json, a_matrix_has_a_job_for_each_item)
{
	const struct plan one = { items, 1, 0 };
	_cleanup_free_ char *text = plan_matrix_format(&one);

	cr_expect_str_eq(
		text,
		"{\"include\":[{\"release\":\"7.3.0-rc2-vmtest1.0.1tiny\",\"version\":\"7.3-rc2\","
		"\"series\":\"7.3\",\"arch\":\"x86_64\",\"flavor\":\"tiny\"}]}");
}

Test(plan_json, versions_come_once)
{
	_cleanup_free_ char *text = plan_versions_format(&plan);

	cr_expect_str_eq(
		text,
		"{\"include\":[{\"version\":\"7.3-rc2\"},{\"version\":\"6.12.117\"}]}");
}

Test(plan_json, an_empty_plan_is_an_empty_matrix)
{
	const struct plan none = { 0 };
	_cleanup_free_ char *matrix = plan_matrix_format(&none);
	_cleanup_free_ char *versions = plan_versions_format(&none);

	cr_expect_str_eq(matrix, "{\"include\":[]}");
	cr_expect_str_eq(versions, "{\"include\":[]}");
}

Test(plan_json, what_is_written_is_read)
{
	_cleanup_free_ char *document = plan_document_format(&plan);
	_cleanup_free_ char *matrix = plan_matrix_format(&plan);
	_cleanup_planned_list_ struct planned_list list = { 0 }, again = { 0 };

	cr_assert_null(planned_list_parse(document, "plan.json", &list));
	cr_assert_eq(list.count, array_size(items));
	cr_expect_eq(list.left_out, 7);
	for (size_t i = 0; i < list.count; i++) {
		cr_expect_str_eq(list.items[i].release_text,
				 items[i].release_text);
		cr_expect_str_eq(list.items[i].arch, "x86_64");
	}
	cr_assert_null(planned_list_parse(matrix, "matrix", &again));
	cr_expect_eq(again.count, array_size(items));
	cr_expect_eq(again.left_out, 0);
}

#define ITEM(release, arch)                                                    \
	"{\"include\": [{\"release\": " release ", \"arch\": " arch "}]}"

Test(plan_json, other_keys_do_not_matter)
{
	_cleanup_planned_list_ struct planned_list list = { 0 };

	cr_assert_null(planned_list_parse(
		"{\"left_out\": 3, \"x\": 1, \"include\": [{\"arch\": \"arm\", \"y\": [],"
		" \"release\": \"6.12.117-vmtest1.0.4tiny\"}]}",
		"p", &list));
	cr_assert_eq(list.count, 1);
	cr_expect_eq(list.left_out, 3);
	cr_expect_str_eq(list.items[0].arch, "arm");
	cr_expect_eq(list.items[0].release.patch, 4);
}

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
		ITEM("null", "null"),
	};

	for (size_t i = 0; i < array_size(texts); i++) {
		_cleanup_planned_list_ struct planned_list list = { 0 };
		_cleanup_error_ struct error *err =
			planned_list_parse(texts[i], "plan.json", &list);

		cr_assert(error_is(err, ERROR_USAGE), "%s", texts[i]);
		cr_expect_eq(strncmp(error_message(err), "plan.json: ", 11), 0);
		cr_expect_null(strchr(error_message(err), '\n'));
		cr_expect_null(list.items);
	}
}
