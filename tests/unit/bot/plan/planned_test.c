// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/planned.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"

#define ITEM(release, arch)                                                    \
	"{\"include\": [{\"release\": " release ", \"arch\": " arch "}]}"

Test(planned, other_keys_do_not_matter)
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

Test(planned, what_is_no_plan_is_refused_in_a_line)
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
