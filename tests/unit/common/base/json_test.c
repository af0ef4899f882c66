// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/json.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

struct part {
	unsigned int number;
	bool flag;
};

struct whole {
	const char *text;
	char *copy;
	uint64_t size;
	enum {
		RED,
		GREEN
	} colour;
	struct string_list strings;
	struct part part;
	struct part *items;
	size_t item_count;
	struct part *members;
	size_t member_count;
};

static struct error *read_part(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		VALUE_NUMBER("number", 0, UINT_MAX, struct part, number),
		VALUE_OPTIONAL("flag", value_flag, struct part, flag),
	};

	return value_read(value, rows, array_size(rows), ret);
}

static const char *const colours[] = { [RED] = "red", [GREEN] = "green" };

// clang-format off
static const struct value_row whole_rows[] = {
	VALUE_REQUIRED("text", value_string, struct whole, text),
	VALUE_OPTIONAL("copy", value_copy, struct whole, copy),
	VALUE_OPTIONAL_NUMBER("size", -1, INT64_MAX, struct whole, size),
	VALUE_NAME("colour", colours, struct whole, colour),
	VALUE_OPTIONAL("strings", value_strings, struct whole, strings),
	VALUE_OPTIONAL("part", read_part, struct whole, part),
	VALUE_ITEMS("items", read_part, struct whole, items),
	VALUE_MEMBERS("members", read_part, struct whole, members),
};
// clang-format on

static struct error *read_whole(const char *text, struct value *document,
				struct whole *ret)
{
	struct error *err;

	err = value_parse(text, strlen(text), "file", ERROR_USAGE, document);
	if (err)
		return err;
	return value_read(document, whole_rows, array_size(whole_rows), ret);
}

static void whole_deinit(struct whole *whole)
{
	free(whole->copy);
	string_list_deinit(&whole->strings);
	free(whole->items);
	free(whole->members);
}

Test(json, rows_fill_a_struct)
{
	static const char text[] =
		"{\"text\": \"a\", \"copy\": \"b\", \"size\": 5000000000, \"colour\": \"green\","
		" \"strings\": [\"c\", \"d\"], \"unknown\": {},"
		" \"part\": {\"number\": 1, \"flag\": true},"
		" \"items\": [{\"number\": 2}, {\"number\": 3, \"flag\": null}],"
		" \"members\": {\"z\": {\"number\": 4}, \"y\": {\"number\": 5}}}";
	_cleanup_value_ struct value document = { 0 };
	_cleanup_(whole_deinit) struct whole whole = { 0 };

	cr_assert_null(read_whole(text, &document, &whole));
	cr_expect_str_eq(whole.text, "a");
	cr_expect_str_eq(whole.copy, "b");
	cr_expect_eq(whole.size, 5000000000);
	cr_expect_eq(whole.colour, GREEN);
	cr_assert_eq(whole.strings.count, 2);
	cr_expect_str_eq(whole.strings.items[1], "d");
	cr_expect(whole.part.flag);
	cr_assert_eq(whole.item_count, 2);
	cr_expect_eq(whole.items[1].number, 3);
	cr_assert_eq(whole.member_count, 2);
	cr_expect_eq(whole.members[1].number, 5);
}

Test(json, what_is_wrong_is_named_with_its_place)
{
	// clang-format off
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{ "", "file: not valid JSON: line 1, column 0: '[' or '{' expected near end of file" },
		{ "{\"text\": \"a\", \"text\": \"b\"}", "file: not valid JSON: line 1, column 20: duplicate object key near '\"text\"'" },
		{ "\033[31m", "file: not valid JSON: line 1, column 1: '[' or '{' expected near '?'" },
		{ "[]", "file: expected an object" },
		{ "{}", "file: text: expected a string" },
		{ "{\"text\": null}", "file: text: expected a string" },
		{ "{\"text\": \"\", \"colour\": \"red\", \"copy\": 1}", "file: copy: expected a string" },
		{ "{\"text\": \"\", \"colour\": \"red\", \"size\": -2}", "file: size: expected a whole number, -1 or more" },
		{ "{\"text\": \"\", \"colour\": \"red\", \"size\": 1.0}", "file: size: expected a whole number, -1 or more" },
		{ "{\"text\": \"\"}", "file: colour: expected one of: red, green" },
		{ "{\"text\": \"\", \"colour\": \"blue\"}", "file: colour: expected one of: red, green" },
		{ "{\"text\": \"\", \"colour\": \"red\", \"strings\": {}}", "file: strings: expected a list of strings" },
		{ "{\"text\": \"\", \"colour\": \"red\", \"strings\": [\"\", []]}", "file: strings[1]: expected a string" },
		{ "{\"text\": \"\", \"colour\": \"red\", \"part\": []}", "file: part: expected an object" },
		{ "{\"text\": \"\", \"colour\": \"red\", \"part\": {\"number\": 4294967296}}", "file: part.number: expected a whole number from 0 to 4294967295" },
		{ "{\"text\": \"\", \"colour\": \"red\", \"part\": {\"number\": 1, \"flag\": 0}}", "file: part.flag: expected true or false" },
		{ "{\"text\": \"\", \"colour\": \"red\", \"items\": {}}", "file: items: expected a list" },
		{ "{\"text\": \"\", \"colour\": \"red\", \"items\": [{\"number\": 1}, {}]}", "file: items[1].number: expected a whole number from 0 to 4294967295" },
		{ "{\"text\": \"\", \"colour\": \"red\", \"items\": [], \"members\": []}", "file: members: expected an object" },
		{ "{\"text\": \"\", \"colour\": \"red\", \"items\": [], \"members\": {\"a\\nb\": 1}}", "file: members.a?b: expected an object" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_value_ struct value document = { 0 };
		_cleanup_(whole_deinit) struct whole whole = { 0 };
		_cleanup_error_ struct error *err =
			read_whole(rows[i].text, &document, &whole);

		cr_assert(error_is(err, ERROR_USAGE), "%s", rows[i].text);
		cr_expect_str_eq(error_message(err), rows[i].message);
	}
}

Test(json, a_document_can_be_a_list)
{
	static const char text[] = "[{\"number\": 1}, 2]";
	_cleanup_value_ struct value document = { 0 };
	struct whole whole = { 0 };

	cr_assert_null(value_parse(text, strlen(text), "answer", ERROR_OTHER,
				   &document));
	_cleanup_error_ struct error *err = value_items(&document, read_part,
							sizeof(struct part),
							&whole.items);
	cr_expect_eq(whole.items[0].number, 1);
	cr_expect_eq(whole.item_count, 2);
	free(whole.items);
	cr_assert(error_is(err, ERROR_OTHER));
	cr_expect_str_eq(error_message(err), "answer: [1]: expected an object");
}
