// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_JSON_H
#define COMMON_BASE_JSON_H

/**
 * @file
 *
 * JSON, over jansson: documents are read by tables of rows into structs, and
 * every error is one line that names the file and the place in it:
 * `vmtest.json: architectures.s390x.machines[0].cpu: expected a string`.
 *
 *     static const struct value_row rows[] = {
 *             VALUE_REQUIRED("url", value_copy, struct thing, url),
 *             VALUE_OPTIONAL("name", value_string, struct thing, name),
 *             VALUE_NUMBER("size", 0, INT64_MAX, struct thing, size_bytes),
 *             VALUE_ITEMS("parts", read_part, struct thing, parts),
 *     };
 *
 * Keys that no row has are ignored; a key that is there twice is an error.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"

struct json_t;
struct string_list;

/** A value in a document, and where it is. */
struct value {
	/** NULL if there is no such key or item. */
	struct json_t *json;
	/** The object or list that it is in; NULL for the whole document. */
	const struct value *outer;
	/** Its key, or the document's name; NULL for an item of a list. */
	const char *key;
	size_t index;
	/** Kind of errors about it. */
	enum error_kind kind;
};

/** @param[out] ret A member of a struct, of the type that the reader fills. */
typedef struct error *value_reader(const struct value *value, void *ret);

/** A row of a table; use the macros below. */
struct value_row {
	const char *key;
	/** NULL for a number or a name. */
	value_reader *read;
	/** Offset of the member; 0 for readers that fill the whole struct. */
	size_t offset;
	/** Size of what is read, in bytes. */
	size_t size;
	bool optional;
	/** Whether the reader is for each item of a list, or of an object. */
	bool each_item, each_member;
	/** Bounds of a number. */
	int64_t min, max;
	/** Names of the values from 0 to max. */
	const char *const *names;
};

#define VALUE_ROW(name, type, member, ...)                                     \
	{                                                                      \
		.key = (name), .offset = offsetof(type, member), __VA_ARGS__   \
	}

#define VALUE_REQUIRED(name, reader, type, member)                             \
	VALUE_ROW(name, type, member, .read = (reader))

/** If the key is missing or null, the member stays as it is. */
#define VALUE_OPTIONAL(name, reader, type, member)                             \
	VALUE_ROW(name, type, member, .read = (reader), .optional = true)

/** The size of an integer for a number; others do not compile. */
// clang-format off
#define VALUE_INTEGER_SIZE(type, member)                                       \
	_Generic(((type *)NULL)->member,                                       \
		 int32_t: 4, uint32_t: 4, int64_t: 8, uint64_t: 8)
// clang-format on

/**
 * A whole number, into an integer of 32 or 64 bits, which must hold the bounds.
 */
#define VALUE_NUMBER(name, from, to, type, member)                             \
	VALUE_ROW(name, type, member, .min = (from), .max = (to),              \
		  .size = VALUE_INTEGER_SIZE(type, member))

#define VALUE_OPTIONAL_NUMBER(name, from, to, type, member)                    \
	VALUE_ROW(name, type, member, .min = (from), .max = (to),              \
		  .size = VALUE_INTEGER_SIZE(type, member), .optional = true)

/** One of an array of names, into an enum: its index. */
#define VALUE_NAME(name, array, type, member)                                  \
	VALUE_ROW(name, type, member, .names = (array),                        \
		  .max = array_size(array) - 1,                                \
		  .size = VALUE_INTEGER_SIZE(type, member))

/**
 * The items of a list, each read into a zeroed one of a vector: the member is a
 * pointer to them, the next is their count. After an error, the item that could
 * not be read is the last one, and counted.
 */
#define VALUE_ITEMS(name, reader, type, member)                                \
	VALUE_ROW(name, type, member, .read = (reader), .each_item = true,     \
		  .size = sizeof(*((type *)NULL)->member))

/** The same for the members of an object, in the order of the document. */
#define VALUE_MEMBERS(name, reader, type, member)                              \
	VALUE_ROW(name, type, member, .read = (reader), .each_member = true,   \
		  .size = sizeof(*((type *)NULL)->member))

/**
 * Parse a document.
 *
 * @param[in] name Name of the document, for messages; borrowed. The values in
 * the document borrow @p ret.
 * @param[in] kind Kind of all errors, also those of the readers.
 */
_must_check_ struct error *value_parse(const char *text, size_t size_bytes,
				       const char *name, enum error_kind kind,
				       struct value *ret);

/** Parse what a server has sent; the error includes what to do. */
_must_check_ struct error *value_parse_answer(const char *text,
					      size_t size_bytes, const char *name,
					      struct value *ret);

/** Free a document, which the values in it belong to. */
void value_deinit(struct value *document);

#define _cleanup_value_ _cleanup_(value_deinit)

/** An error about a value: `FILE: PATH: ` and the text, all on one line. */
_must_check_ _returns_nonnull_ _printf_(2, 3) struct error *value_error(
	const struct value *value, const char *format, ...);

/** Read an object by rows, in their order. */
_must_check_ struct error *value_read(const struct value *value,
				      const struct value_row *rows,
				      size_t count, void *ret);

/** The same of an object that has no other keys. */
_must_check_ struct error *value_read_known(const struct value *value,
					    const struct value_row *rows,
					    size_t count, void *ret);

/** What an object has under a key; without a value if it is not an object. */
struct value value_member(const struct value *object, const char *key);

struct value value_item(const struct value *list, size_t index);

/** Read a document that is a list into a vector, as VALUE_ITEMS() does. */
_must_check_ struct error *value_items(const struct value *list,
				       value_reader *read, size_t size_bytes,
				       void *vector);

_must_check_ struct error *value_integer(const struct value *value, int64_t min,
					 int64_t max, int64_t *ret);

/** `const char *`: a string, which lives as long as the document. */
_must_check_ value_reader value_string;
/** `char *`: a copy; free(). */
_must_check_ value_reader value_copy;
/** `bool` */
_must_check_ value_reader value_flag;
/** `struct string_list`; the strings are added to it. */
_must_check_ value_reader value_strings;

void cleanup_json(struct json_t **json);

#define _cleanup_json_ _cleanup_(cleanup_json)

/** A list of strings, which need not be UTF-8 (see text_json()). */
struct json_t *strings_json(const struct string_list *list);

/**
 * A document's text; free(). Never NULL.
 *
 * @param[in] json Consumed. NULL is taken for a lack of memory.
 * @param[in] flags Those of jansson.
 */
char *json_text(struct json_t *json, size_t flags);

#endif /* COMMON_BASE_JSON_H */
