// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/json.h"

#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/text.h"

struct error *value_parse(const char *text, size_t size_bytes, const char *name,
			  enum error_kind kind, struct value *ret)
{
	json_error_t problem;
	json_t *json =
		json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES, &problem);

	if (!json)
		return error_create(kind,
				    "%s: not valid JSON: line %d, column %d: %s",
				    name, problem.line, problem.column,
				    problem.text);
	*ret = (struct value){ .json = json, .key = name, .kind = kind };
	return NULL;
}

struct error *value_parse_answer(const char *text, size_t size_bytes,
				 const char *name, struct value *ret)
{
	_cleanup_error_ struct error *err =
		value_parse(text, size_bytes, name, ERROR_OTHER, ret);

	if (!err)
		return NULL;
	return error_create(ERROR_OTHER,
			    "%s; it may be cut short, or a proxy's: try again",
			    error_message(err));
}

void value_deinit(struct value *document)
{
	json_decref(document->json);
	document->json = NULL;
}

static void append_place(struct string_builder *sb, const struct value *value)
{
	if (!value->outer) {
		string_builder_append(sb, value->key);
		return;
	}
	append_place(sb, value->outer);

	if (!value->outer->outer)
		string_builder_append(sb, ": ");
	else if (value->key)
		string_builder_append_char(sb, '.');
	if (value->key)
		string_builder_append(sb, value->key);
	else
		string_builder_appendf(sb, "[%zu]", value->index);
}

struct error *value_error(const struct value *value, const char *format, ...)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	va_list ap;

	append_place(&sb, value);
	string_builder_append(&sb, ": ");
	va_start(ap, format);
	string_builder_vappendf(&sb, format, ap);
	va_end(ap);
	return error_create(value->kind, "%s", sb.text);
}

static struct error *read_name(const struct value_row *row,
			       const struct value *value, int64_t *ret)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	const char *text = json_string_value(value->json);

	for (int64_t i = 0; i <= row->max; i++) {
		if (text && strcmp(row->names[i], text) == 0) {
			*ret = i;
			return NULL;
		}
		string_builder_appendf(&sb, "%s%s", sb.text ? ", " : "",
				       row->names[i]);
	}
	return value_error(value, "expected one of: %s", sb.text);
}

static struct error *read_into(const struct value *item,
			       const struct value_row *row, void *vector)
{
	struct {
		char *items;
		size_t count;
	} untyped;

	memcpy(&untyped, vector, sizeof(untyped));
	untyped.items = vector_grow(untyped.items, untyped.count, row->size);

	char *into = untyped.items + untyped.count++ * row->size;
	memset(into, 0, row->size);
	memcpy(vector, &untyped, sizeof(untyped));
	return row->read(item, into);
}

static struct error *read_items(const struct value_row *row,
				const struct value *value, void *vector)
{
	struct error *err;

	if (row->each_item && !json_is_array(value->json))
		return value_error(value, "expected a list");
	if (row->each_member && !json_is_object(value->json))
		return value_error(value, "expected an object");
	// One of the two: what is not a list has no items.
	for (size_t i = 0; i < json_array_size(value->json); i++) {
		const struct value item = value_item(value, i);

		err = read_into(&item, row, vector);
		if (err)
			return err;
	}
	const char *key;
	json_t *json;
	json_object_foreach(value->json, key, json)
	{
		const struct value member = value_member(value, key);

		err = read_into(&member, row, vector);
		if (err)
			return err;
	}
	return NULL;
}

struct error *value_items(const struct value *list, value_reader *read,
			  size_t size_bytes, void *vector)
{
	const struct value_row row = {
		.read = read,
		.each_item = true,
		.size = size_bytes,
	};

	return read_items(&row, list, vector);
}

static struct error *read_row(const struct value_row *row,
			      const struct value *value, void *ret)
{
	struct error *err;
	int64_t number;

	if (row->each_item || row->each_member)
		return read_items(row, value, ret);
	if (row->read)
		return row->read(value, ret);
	err = row->names ? read_name(row, value, &number)
			 : value_integer(value, row->min, row->max, &number);
	if (err)
		return err;
	if (row->size == sizeof(int64_t))
		*(int64_t *)ret = number;
	else
		*(int32_t *)ret = (int32_t)number;
	return NULL;
}

struct error *value_read(const struct value *value,
			 const struct value_row *rows, size_t count, void *ret)
{
	struct error *err;

	if (!json_is_object(value->json))
		return value_error(value, "expected an object");
	for (size_t i = 0; i < count; i++) {
		const struct value member = value_member(value, rows[i].key);

		if (rows[i].optional &&
		    (!member.json || json_is_null(member.json)))
			continue;
		err = read_row(&rows[i], &member, (char *)ret + rows[i].offset);
		if (err)
			return err;
	}
	return NULL;
}

struct error *value_read_known(const struct value *value,
			       const struct value_row *rows, size_t count,
			       void *ret)
{
	_cleanup_string_builder_ struct string_builder names = { 0 };
	const char *key;
	json_t *json;

	for (size_t i = 0; i < count; i++)
		string_builder_appendf(&names, "%s%s", i ? ", " : "",
				       rows[i].key);
	json_object_foreach(value->json, key, json)
	{
		size_t i = 0;

		while (i < count && strcmp(rows[i].key, key) != 0)
			i++;
		if (i < count)
			continue;
		const struct value member = value_member(value, key);

		return value_error(&member, "unknown key; there are %s",
				   names.text);
	}
	return value_read(value, rows, count, ret);
}

struct value value_member(const struct value *object, const char *key)
{
	return (struct value){
		.json = json_object_get(object->json, key),
		.outer = object,
		.key = key,
		.kind = object->kind,
	};
}

struct value value_item(const struct value *list, size_t index)
{
	return (struct value){
		.json = json_array_get(list->json, index),
		.outer = list,
		.index = index,
		.kind = list->kind,
	};
}

struct error *value_integer(const struct value *value, int64_t min, int64_t max,
			    int64_t *ret)
{
	json_int_t number = json_integer_value(value->json);

	if (json_is_integer(value->json) && number >= min && number <= max) {
		*ret = number;
		return NULL;
	}
	if (max == INT64_MAX)
		return value_error(value, "expected a whole number, %lld or more",
				   (long long)min);
	return value_error(value, "expected a whole number from %lld to %lld",
			   (long long)min, (long long)max);
}

struct error *value_string(const struct value *value, void *ret)
{
	if (!json_is_string(value->json))
		return value_error(value, "expected a string");
	*(const char **)ret = json_string_value(value->json);
	return NULL;
}

struct error *value_copy(const struct value *value, void *ret)
{
	const char *text;
	struct error *err = value_string(value, &text);

	if (err)
		return err;
	*(char **)ret = string_copy(text);
	return NULL;
}

struct error *value_flag(const struct value *value, void *ret)
{
	if (!json_is_boolean(value->json))
		return value_error(value, "expected true or false");
	*(bool *)ret = json_is_true(value->json);
	return NULL;
}

struct error *value_strings(const struct value *value, void *ret)
{
	if (!json_is_array(value->json))
		return value_error(value, "expected a list of strings");
	for (size_t i = 0; i < json_array_size(value->json); i++) {
		const struct value item = value_item(value, i);
		const char *text;
		struct error *err = value_string(&item, &text);

		if (err)
			return err;
		string_list_add(ret, text);
	}
	return NULL;
}

void cleanup_json(struct json_t **json)
{
	json_decref(*json);
}

struct json_t *strings_json(const struct string_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		if (json_array_append_new(array, text_json(list->items[i])) < 0)
			memory_exhausted();
	}
	return array;
}

char *json_text(struct json_t *json, size_t flags)
{
	char *text = json ? json_dumps(json, flags) : NULL;

	json_decref(json);
	if (!text)
		memory_exhausted();
	return text;
}
