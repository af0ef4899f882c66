// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_issues.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/github/github_json.h"

static struct error *parse_list(const char *text,
				struct github_issue_list *list, size_t *count)
{
	_cleanup_value_ struct value page = { 0 };
	struct error *err = github_parse(text, strlen(text), &page);

	return err ? err : github_read_issues(&page, "vmtest", list, count);
}

Test(github_issues, pull_requests_are_counted_and_left_out)
{
	_cleanup_github_issue_list_ struct github_issue_list list = { 0 };
	size_t count = 0;

	cr_assert_null(parse_list(
		"[{\"number\": 7, \"body\": \"b\", \"labels\": [{\"name\": \"vmtest\"}]},"
		" {\"number\": 8, \"pull_request\": {}, \"body\": \"x\"},"
		" {\"number\": 9, \"body\": null, \"labels\": [\"other\", \"vmtest\"]},"
		" {\"number\": 10, \"labels\": [1, {}, \"vmtests\"]}]",
		&list, &count));
	cr_expect_eq(count, 4);
	cr_assert_eq(list.count, 3);
	cr_expect_eq(list.items[0].number, 7);
	cr_expect_str_eq(list.items[0].body, "b");
	cr_expect(list.items[0].labelled);
	cr_expect_str_eq(list.items[1].body, "");
	cr_expect(list.items[1].labelled);
	cr_expect_not(list.items[2].labelled);
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
		size_t count = 0;
		_cleanup_error_ struct error *err =
			parse_list(texts[i], &list, &count);

		cr_assert_not_null(err, "%s", texts[i]);
		cr_expect_null(strchr(error_message(err), '\n'));
	}
}

Test(github_issues, a_comment_is_found_by_its_whole_text)
{
	static const char text[] =
		"[{\"body\": \"one\"}, {\"body\": null}, {\"body\": \"two\"}]";
	_cleanup_value_ struct value page = { 0 };
	size_t count = 0;
	bool found;

	cr_assert_null(github_parse(text, strlen(text), &page));
	cr_assert_null(github_find_comment(&page, "two", &found, &count));
	cr_expect(found);
	cr_expect_eq(count, 3);
	cr_assert_null(github_find_comment(&page, "tw", &found, &count));
	cr_expect_not(found);
}
