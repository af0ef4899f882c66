// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/string_builder.h"
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
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	const struct suite two = { items, 2 };

	suite_table_append(&sb, &two);
	cr_expect_str_eq(
		sb.text,
		"kernel  result       download    unpack    module      boot   command\n"
		"a       passed              -         -         -     1.3 s     0.2 s\n"
		"b       failed              -         -         -         -         -  exit status 3\n");
}

Test(suite_table, counts_leave_out_what_there_is_none_of)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	suite_table_append_counts(&sb, &suite);
	cr_expect_str_eq(sb.text,
			 "1 waiting, 1 downloading, 1 running, 2 passed, 1 failed");
}

Test(suite_table, a_line_of_a_log_tells_what_is_at_work)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

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
		{ 24, "abcdef1" }, { 8, "abcdef1" }, { 7, "abcde1" },
		{ 6, "bcde1" },	   { 5, "bcd1" },    { 4, "cd1" },
		{ 3, "c1" },	   { 2, "1" },	     { 1, "1" },
		{ 0, "1" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_builder_ struct string_builder sb =
			STRING_BUILDER_INIT;
		char lines[16] = "";
		size_t count = suite_table_append_live(&sb, &suite, 13000,
						       rows[i].rows, 79);

		for (const char *p = sb.text; *p; p = strchr(p, '\n') + 1)
			lines[strlen(lines)] = *p;
		cr_expect_str_eq(lines, rows[i].lines, "%zu rows: %s",
				 rows[i].rows, sb.text);
		cr_expect_eq(count, strlen(lines));
	}
}

Test(suite_table, seconds_count_and_lines_do_not_wrap)
{
	_cleanup_string_builder_ struct string_builder wide = STRING_BUILDER_INIT;
	_cleanup_string_builder_ struct string_builder narrow =
		STRING_BUILDER_INIT;

	suite_table_append_live(&wide, &suite, 13000, 24, 79);
	cr_expect(strstr(wide.text, "c       running         12 s\n"), "%s",
		  wide.text);
	cr_expect(strstr(wide.text,
			 "b       failed         0.0 s  exit status 3\n"));
	suite_table_append_live(&narrow, &suite, 13000, 24, 10);
	for (const char *p = narrow.text; *p;) {
		size_t length = strcspn(p, "\n");

		cr_expect_leq(length, 10);
		p += length + 1;
	}
}
