// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/table.h"

#include <criterion/criterion.h>
#include <string.h>

static struct table make_table(void)
{
	struct table table = { 0 };

	table_add_column(&table, "kernel", TABLE_TEXT);
	table_add_column(&table, "result", TABLE_TEXT);
	table_add_column(&table, "", TABLE_CODE);
	table_add_column(&table, "never", TABLE_NUMBER);
	table_add_column(&table, "size", TABLE_NUMBER);
	table_add_column(&table, "boot", TABLE_NUMBER);

	table_add(&table, "a_b");
	table_add_status(&table, "passed", false);
	table_add(&table, "");
	table_add_seconds(&table, 0);
	table_add_megabytes(&table, 83900000);
	table_add_seconds(&table, 1340);

	table_addf(&table, "%d", 2);
	table_add_status(&table, "failed", true);
	table_add(&table, "a | b\n\xc2\x85@user");
	table_add_seconds(&table, 0);
	table_add_megabytes(&table, 0);
	table_add_seconds(&table, 512340);
	return table;
}

Test(table, text_has_columns)
{
	_cleanup_table_ struct table table = make_table();
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	table_append_text(&sb, &table, 0);
	cr_expect_str_eq(sb.text,
			 "kernel  result     size     boot\n"
			 "a_b     passed  83.9 MB    1.3 s\n"
			 "2       failed        -  512.3 s  a | b  @user\n");
}

Test(table, columns_are_the_terminals_and_not_bytes)
{
	static const char *const names[] = {
		"ascii",     "\xc3\xa9t\xc3\xa9",
		"e\xcc\x81", "\xe6\xbc\xa2\xe5\xad\x97",
		"\xff\xfe",
	};
	_cleanup_table_ struct table table = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 }, cut = { 0 };

	table_add_column(&table, "", TABLE_TEXT);
	table_add_column(&table, "", TABLE_TEXT);
	for (size_t i = 0; i < array_size(names); i++) {
		table_add(&table, names[i]);
		table_add(&table, "x");
	}
	table_append_text(&sb, &table, 0);
	cr_expect_str_eq(sb.text, "ascii  x\n"
				  "\xc3\xa9t\xc3\xa9    x\n"
				  "e\xcc\x81      x\n"
				  "\xe6\xbc\xa2\xe5\xad\x97   x\n"
				  "\xff\xfe     x\n");
	table_append_text(&cut, &table, 3);
	cr_expect_str_eq(cut.text, "asc\n"
				   "\xc3\xa9t\xc3\xa9\n"
				   "e\xcc\x81\n"
				   "\xe6\xbc\xa2\n"
				   "\xff\xfe\n");
}

Test(table, markdown_is_escaped)
{
	_cleanup_table_ struct table table = make_table();
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	table_add_fold(&table, "a b", "log\n");
	table_append_markdown(&sb, &table, SIZE_MAX);
	cr_expect_str_eq(
		sb.text,
		"| kernel | result | | size | boot |\n"
		"| --- | --- | --- | ---: | ---: |\n"
		"| a\\_b | passed | | 83.9 MB | 1.3 s |\n"
		"| 2 | **failed** | ` a \\| b  @user ` | | 512.3 s |\n"
		"\n<details><summary>a b</summary>\n\n```\nlog\n```\n\n</details>\n");
}

Test(table, markdown_is_not_escaped_twice)
{
	_cleanup_table_ struct table table = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	table_add_column(&table, "x", TABLE_MARKDOWN);
	table_add(&table, "[1](<u>)");
	table_append_markdown(&sb, &table, SIZE_MAX);
	cr_expect_str_eq(sb.text, "| x |\n| --- |\n| [1](<u>) |\n");
}

Test(table, markdown_is_as_long_as_there_is_room)
{
	_cleanup_table_ struct table table = make_table();
	_cleanup_string_builder_ struct string_builder whole = { 0 };

	table_add_fold(&table, "title", "log\n");
	table.left_out = "And more.";
	table_append_markdown(&whole, &table, SIZE_MAX);
	cr_expect_null(strstr(whole.text, "And more."));
	for (size_t limit = 0; limit < whole.length; limit++) {
		_cleanup_string_builder_ struct string_builder sb = { 0 };
		static const char end[] = "\nAnd more.\n";
		size_t size = strlen(end);

		string_builder_append(&sb, "");
		table_append_markdown(&sb, &table, limit);
		cr_expect_leq(sb.length, limit);
		if (limit < size)
			continue;
		cr_assert_geq(sb.length, size);
		cr_expect_str_eq(sb.text + sb.length - size, end);
		cr_expect_eq(strncmp(sb.text, whole.text, sb.length - size), 0);
	}
}
