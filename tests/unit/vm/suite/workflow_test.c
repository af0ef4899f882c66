// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/workflow.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "vm/suite/suite.h"

enum {
	MANY = 14
};

/** A suite of failures. */
static struct suite make_suite(struct suite_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		items[i] = (struct suite_item){
			.state = SUITE_FAILED,
			.reason = (char *)"exit status 1",
		};
		snprintf(items[i].name, sizeof(items[i].name), "6.%zu", i);
	}
	return (struct suite){ items, count };
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (const char *p = text; (p = strstr(p, part)); p++)
		count++;
	return count;
}

Test(workflow, there_are_ten_annotations_at_most)
{
	static const struct {
		size_t failures;
		size_t errors;
		const char *last;
	} rows[] = {
		{ 0, 0, "" },
		{ 1, 1, "title=6.0%3A failed::exit status 1\n" },
		{ 10, 10, "title=6.9%3A failed::exit status 1\n" },
		{ 11, 10, "title=2 more kernels::" },
		{ 14, 10, "title=5 more kernels::" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct suite_item items[MANY];
		const struct suite suite = make_suite(items, rows[i].failures);
		_cleanup_string_builder_ struct string_builder sb =
			STRING_BUILDER_INIT;

		string_builder_append(&sb, "");
		workflow_append_errors(&sb, &suite);
		cr_expect_eq(count_of(sb.text, "::error "), rows[i].errors);
		cr_expect(strstr(sb.text, rows[i].last), "%s", sb.text);
	}
}

Test(workflow, a_summary_fits_its_limit)
{
	static const struct {
		size_t limit;
		size_t rows, logs;
		bool whole;
	} rows[] = {
		{ 100000, MANY, MANY, true },
		{ 2000, MANY, 3, false },
		{ 500, 7, 0, false },
		{ 10, 0, 0, false },
	};
	struct suite_item items[MANY];
	const struct suite suite = make_suite(items, MANY);
	char *logs[MANY];
	const struct string_list list = { logs, MANY };

	for (size_t i = 0; i < MANY; i++)
		logs[i] = (char *)"a log that says\n```\nwith a fence in it\n";
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_builder_ struct string_builder sb =
			STRING_BUILDER_INIT;

		string_builder_append(&sb, "before\n");
		size_t before = sb.length;

		workflow_append_summary(&sb, "make *check*", "what *it* says",
					&suite, &list, rows[i].limit);
		cr_expect_leq(sb.length - before, rows[i].limit);
		cr_expect_eq(count_of(sb.text, "| **failed** |") > 0,
			     rows[i].rows > 0);
		cr_expect_leq(count_of(sb.text, "| **failed** |"), MANY);
		cr_expect_eq(count_of(sb.text, "<details>") > 0,
			     rows[i].logs > 0);
		cr_expect_eq(count_of(sb.text, "<details>"),
			     count_of(sb.text, "</details>"));
		cr_expect_eq(count_of(sb.text, "no room") == 0,
			     rows[i].whole || rows[i].limit == 10);
		if (rows[i].whole) {
			cr_expect(strstr(
				sb.text,
				"### make \\*check\\*\n\nwhat \\*it\\* says\n\n"));
			cr_expect(strstr(sb.text, "\n````\na log"));
			cr_expect_eq(count_of(sb.text, "<details>"), MANY);
		}
	}
}
