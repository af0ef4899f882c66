// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"

static struct error *parse_list(const char *text, struct github_issue_list *list)
{
	_cleanup_value_ struct value page = { 0 };
	struct error *err =
		value_parse_answer(text, strlen(text), "GitHub's answer", &page);

	return err ? err
		   : value_items(&page, github_read_issue, sizeof(*list->items),
				 list);
}

Test(github_issues, tells_pull_requests_apart)
{
	_cleanup_github_issue_list_ struct github_issue_list list = { 0 };

	cr_assert_null(
		parse_list("[{\"number\": 7, \"body\": \"b\", \"labels\": [1, {}]},"
			   " {\"number\": 8, \"pull_request\": {}, \"body\": \"x\"},"
			   " {\"number\": 9, \"body\": null}]",
			   &list));
	cr_assert_eq(list.count, 3);
	cr_expect_eq(list.items[0].number, 7);
	cr_expect_str_eq(list.items[0].body, "b");
	cr_expect_not(list.items[0].is_pull_request);
	cr_expect(list.items[1].is_pull_request);
	cr_expect_str_eq(list.items[2].body, "");
}

Test(github_issues, what_is_no_issue_is_refused_in_a_line)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[1]",
		"[{}]",
		"[{\"number\": 0}]",
		"[{\"number\": -1}]",
		"[{\"number\": \"1\"}]",
		"[{\"number\": 1, \"body\": []}]",
		"[{\"number\": 1}",
	};

	for (size_t i = 0; i < array_size(texts); i++) {
		_cleanup_github_issue_list_ struct github_issue_list list = { 0 };
		_cleanup_error_ struct error *err = parse_list(texts[i], &list);

		cr_assert_not_null(err, "%s", texts[i]);
		cr_expect_null(strchr(error_message(err), '\n'));
	}
}
