// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_sessions.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/text.h"

#define TEXT(name, member)                                                     \
	{                                                                      \
		name, offsetof(struct session_request, member), false          \
	}
#define LIST(name, member)                                                     \
	{                                                                      \
		name, offsetof(struct session_request, member), true           \
	}

static const struct {
	const char *key;
	size_t offset;
	bool is_list;
} rows[] = {
	TEXT("user=", user),	     TEXT("directory=", directory),
	TEXT("stdin=", has_stdin),   TEXT("stdout=", has_stdout),
	TEXT("stderr=", has_stderr), TEXT("rows=", rows),
	TEXT("columns=", columns),   TEXT("here=", here),
	LIST("env=", environment),   LIST("arg=", command),
};

void session_request_deinit(struct session_request *request)
{
	string_list_deinit(&request->environment);
	string_list_deinit(&request->command);
}

static bool set_member(struct session_request *request, const char *item)
{
	for (size_t i = 0; i < array_size(rows); i++) {
		void *member = (char *)request + rows[i].offset;
		size_t length = strlen(rows[i].key);

		if (strncmp(item, rows[i].key, length) != 0)
			continue;
		if (rows[i].is_list)
			string_list_add(member, item + length);
		else
			*(const char **)member = item + length;
		return true;
	}
	return false;
}

struct error *session_request_parse(const char *text, size_t size,
				    struct session_request *ret)
{
	const char *end = text + size;

	for (const char *item = text; item < end; item += strlen(item) + 1) {
		if (!set_member(ret, item))
			return error_create(
				ERROR_OTHER,
				"this guest is of another version of vmtest-vm");
	}
	if (!ret->command.count || !ret->rows != !ret->columns)
		return error_create(ERROR_OTHER, "no command to run");
	return NULL;
}

static void append(struct string_builder *sb, const char *key, const char *value)
{
	string_builder_append(sb, key);
	string_builder_append_n(sb, value, strlen(value) + 1);
}

void session_request_format(const struct session_request *request,
			    struct string_builder *sb)
{
	append(sb, "", "run");
	for (size_t i = 0; i < array_size(rows); i++) {
		const void *member = (const char *)request + rows[i].offset;
		const struct string_list *list = member;
		const char *text;

		for (size_t j = 0; rows[i].is_list && j < list->count; j++)
			append(sb, rows[i].key, list->items[j]);
		if (rows[i].is_list)
			continue;
		text = *(const char *const *)member;
		if (text)
			append(sb, rows[i].key, text);
	}
}
