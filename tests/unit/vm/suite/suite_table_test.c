// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_report.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "vm/suite/suite.h"

static struct suite_item items[] = {
	{ .name = "a",
	  .state = SUITE_PASSED,
	  .phase_ms = { [SUITE_BOOT] = 1300, [SUITE_COMMAND] = 200 } },
	{ .name = "b", .state = SUITE_FAILED, .reason = (char *)"exit status 3" },
	{ .name = "c", .state = SUITE_RUNNING, .since_ms = 1000 },
	{ .name = "d", .state = SUITE_DOWNLOADING, .since_ms = 5000 },
	{ .name = "e", .state = SUITE_WAITING },
	{ .name = "f", .state = SUITE_PASSED },
};
static const struct suite suite = { items, array_size(items) };

Test(suite_table, results_and_phases_are_a_line_each)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	const struct suite two = { items, 2 };

	suite_table_append(&sb, &two);
	cr_expect_str_eq(sb.text,
			 "kernel  result   boot  command\n"
			 "a       passed  1.3 s    0.2 s\n"
			 "b       failed      -        -  exit status 3\n");
}

Test(suite_table, tests_that_failed_are_told_with_their_kernels)
{
	struct ktap_test tests[] = {
		{ (char *)"z", KTAP_FAILED, (char *)"" },
		{ (char *)"x", KTAP_FAILED, (char *)"" },
		{ (char *)"x", KTAP_FAILED, (char *)"" },
		{ (char *)"y", KTAP_TODO, (char *)"" },
	};
	struct ktap all = { .items = tests, .count = array_size(tests) };
	struct ktap one = { .items = tests, .count = 1 };
	struct suite_item three[] = {
		{ .name = "a", .state = SUITE_FAILED, .tests = &all },
		{ .name = "b", .state = SUITE_EXPECTED_FAILURE, .tests = &all },
		{ .name = "c", .state = SUITE_LOST, .tests = &one },
	};
	const struct suite suite_of_three = { three, array_size(three) };
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_string_builder_ struct string_builder markdown = { 0 };

	suite_table_append(&sb, &suite_of_three);
	cr_expect(strstr(sb.text, "\n\n"
				  "failed test  kernels\n"
				  "x             1 of 3  a\n"
				  "z             2 of 3  a, c\n"),
		  "%s", sb.text);
	suite_table_append_summary(&markdown, "t", NULL, &suite_of_three, 10000);
	cr_expect(strstr(markdown.text, "| z | 2 of 3 | a, c |"), "%s",
		  markdown.text);
}

Test(suite_table, a_line_of_a_log_tells_what_is_at_work)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	suite_table_append_status(&sb, &suite, 41000);
	cr_expect_str_eq(
		sb.text,
		"kernels: 1 waiting, 1 downloading, 1 running, 2 passed, 1 failed; c is running, 40 s; d is downloading, 36 s");
}

Test(suite_table, a_small_terminal_shows_what_matters)
{
	static const struct {
		size_t rows;
		/** First letters of the lines; 1 is the counts'. */
		const char *lines;
	} rows[] = {
		{ 24, "abcdef1" }, { 7, "abcdef1" }, { 6, "abcde1" },
		{ 5, "bcde1" },	   { 4, "bcd1" },    { 3, "cd1" },
		{ 2, "c1" },	   { 1, "1" },	     { 0, "1" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_builder_ struct string_builder sb = { 0 };
		char lines[16] = "";

		suite_table_append_live(&sb, &suite, 13000, rows[i].rows, 79);
		for (const char *p = sb.text; p; p = strchr(p, '\n')) {
			p += *p == '\n';
			lines[strlen(lines)] = *p;
		}
		cr_expect_str_eq(lines, rows[i].lines, "%zu rows: %s",
				 rows[i].rows, sb.text);
	}
}

Test(suite_table, seconds_count_and_lines_do_not_wrap)
{
	_cleanup_string_builder_ struct string_builder wide = { 0 };
	_cleanup_string_builder_ struct string_builder narrow = { 0 };

	suite_table_append_live(&wide, &suite, 13000, 24, 79);
	cr_expect(strstr(wide.text, "c  running       12 s\n"), "%s", wide.text);
	cr_expect(strstr(wide.text, "a  passed       1.5 s\n"), "%s", wide.text);
	cr_expect(strstr(wide.text, "b  failed           -  exit status 3\n"));
	suite_table_append_live(&narrow, &suite, 13000, 24, 10);
	for (const char *p = narrow.text; *p;) {
		size_t length = strcspn(p, "\n");

		cr_expect_leq(length, 10);
		p += length + (p[length] == '\n');
	}
}

/** A suite of 14 failures at most. */
static struct suite make_failures(size_t count)
{
	static struct suite_item failures[14];

	for (size_t i = 0; i < count; i++) {
		failures[i] = (struct suite_item){
			.state = SUITE_FAILED,
			.reason = (char *)"exit status 1",
			.log_end = (char *)"a log that says\n```\nwith a fence in it\n",
		};
		snprintf(failures[i].name, sizeof(failures[i].name), "6.%zu", i);
	}
	return (struct suite){ failures, count };
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (const char *p = text; (p = strstr(p, part)); p++)
		count++;
	return count;
}

Test(suite_table, there_are_ten_annotations_at_most)
{
	static const struct {
		size_t failures, errors;
		const char *last;
	} rows[] = {
		{ 0, 0, "" },
		{ 1, 1, "title=6.0%3A failed::exit status 1\n" },
		{ 10, 10, "title=6.9%3A failed::exit status 1\n" },
		{ 11, 10, "title=2 more kernels::" },
		{ 14, 10, "title=5 more kernels::" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct suite many = make_failures(rows[i].failures);
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		string_builder_append(&sb, "");
		suite_table_append_errors(&sb, &many, NULL);
		cr_expect_eq(count_of(sb.text, "::error "), rows[i].errors);
		cr_expect(strstr(sb.text, rows[i].last), "%s", sb.text);
	}
}

Test(suite_table, an_annotation_names_a_file_of_the_repository)
{
	static const struct {
		const char *file, *workspace, *begin;
	} rows[] = {
		{ "/r/a/x.c", "/r", "::error file=a/x.c,line=41,title=6.0" },
		{ "/r/a/x.c", "/r/b", "::error title=6.0" },
		{ "/r/a/x.c", NULL, "::error title=6.0" },
		{ "mm/slub.c", "/r", "::error title=6.0" },
		{ NULL, "/r", "::error title=6.0" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct suite one = make_failures(1);
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		one.items[0].file = (char *)rows[i].file;
		one.items[0].line = 41;
		suite_table_append_errors(&sb, &one, rows[i].workspace);
		cr_expect_eq(strncmp(sb.text, rows[i].begin,
				     strlen(rows[i].begin)),
			     0, "%s", sb.text);
	}
}

Test(suite_table, a_summary_fits_its_limit)
{
	static const struct {
		size_t limit;
		bool all_rows, any_logs, all_logs;
	} rows[] = {
		{ 100000, true, true, true },
		{ 1500, true, true, false },
		{ 400, false, false, false },
	};
	static const char head[] =
		"before\n### make \\*check\\*\n\nwhat \\*it\\* says\n\n14 failed\n\n"
		"| kernel | result | |\n| --- | --- | --- |\n"
		"| 6.0 | **failed** | exit status 1 |\n";
	const struct suite many = make_failures(14);

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		string_builder_append(&sb, "before\n");
		suite_table_append_summary(&sb, "make *check*", "what *it* says",
					   &many, rows[i].limit);
		cr_expect_leq(sb.length, rows[i].limit + strlen("before\n"));
		cr_expect_eq(strncmp(sb.text, head, strlen(head)), 0, "%s",
			     sb.text);
		size_t logs = count_of(sb.text, "<details>");
		cr_expect_eq(count_of(sb.text, "| **failed** |") == many.count,
			     rows[i].all_rows);
		cr_expect_eq(logs > 0, rows[i].any_logs);
		cr_expect_eq(logs == many.count, rows[i].all_logs);
		cr_expect_eq(count_of(sb.text, "no room"), !rows[i].all_logs);
	}
}
