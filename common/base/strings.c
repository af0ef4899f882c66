// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

void string_builder_append_n(struct string_builder *sb, const char *data,
			     size_t length)
{
	size_t needed;

	if (__builtin_add_overflow(sb->length, length, &needed) ||
	    __builtin_add_overflow(needed, 1, &needed))
		memory_exhausted();
	if (needed > sb->capacity) {
		sb->text = memory_resize(sb->text, needed, 2);
		sb->capacity = 2 * needed;
	}
	if (length)
		memcpy(sb->text + sb->length, data, length);
	sb->length += length;
	sb->text[sb->length] = '\0';
}

void string_builder_append(struct string_builder *sb, const char *text)
{
	string_builder_append_n(sb, text, strlen(text));
}

void string_builder_append_char(struct string_builder *sb, char c)
{
	string_builder_append_n(sb, &c, 1);
}

void string_builder_appendf(struct string_builder *sb, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	string_builder_vappendf(sb, format, ap);
	va_end(ap);
}

void string_builder_vappendf(struct string_builder *sb, const char *format,
			     va_list ap)
{
	_cleanup_free_ char *text = string_vformat(format, ap);

	string_builder_append(sb, text);
}

void string_builder_append_shell(struct string_builder *sb, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";

	if (*text && !text[strspn(text, plain)]) {
		string_builder_append(sb, text);
		return;
	}
	string_builder_append_char(sb, '\'');
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			string_builder_append(sb, "'\\''");
		else
			string_builder_append_char(sb, *p);
	}
	string_builder_append_char(sb, '\'');
}

void string_builder_append_url(struct string_builder *sb, const char *text)
{
	static const char unreserved[] = "abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789-._~";

	for (const char *p = text; *p; p++) {
		if (strchr(unreserved, *p))
			string_builder_append_char(sb, *p);
		else
			string_builder_appendf(sb, "%%%02X", (unsigned char)*p);
	}
}

void string_builder_append_markdown(struct string_builder *sb, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (strchr("\\`*_{}[]<>()#!|~&", *p))
			string_builder_append_char(sb, '\\');
		string_builder_append_char(sb, strchr("\r\n", *p) ? ' ' : *p);
	}
}

char *string_builder_take(struct string_builder *sb)
{
	string_builder_append_n(sb, "", 0);
	return take(*sb).text;
}

void string_builder_deinit(struct string_builder *sb)
{
	free(sb->text);
	*sb = (struct string_builder){ 0 };
}

/** Takes @p text. */
static void string_list_take(struct string_list *list, char *text)
{
	list->items = memory_resize(list->items, list->count + 2,
				    sizeof(*list->items));
	list->items[list->count++] = text;
	list->items[list->count] = NULL;
}

void string_list_add(struct string_list *list, const char *text)
{
	string_list_take(list, string_copy(text));
}

void string_list_addf(struct string_list *list, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	string_list_take(list, string_vformat(format, ap));
	va_end(ap);
}

void string_list_add_all(struct string_list *list, const struct string_list *more)
{
	for (size_t i = 0; i < more->count; i++)
		string_list_add(list, more->items[i]);
}

void string_list_add_split(struct string_list *list, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, ",");

		if (length)
			string_list_take(list, string_copy_n(text, length));
		text += length;
		text += *text == ',';
	}
}

char *string_list_quote(const struct string_list *list,
			const char *before_option)
{
	struct string_builder sb = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		const char *item = list->items[i];

		if (i)
			string_builder_append(&sb, *item == '-' ? before_option
								: " ");
		string_builder_append_shell(&sb, item);
	}
	return string_builder_take(&sb);
}

bool string_list_contains(const struct string_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], text) == 0)
			return true;
	}
	return false;
}

void string_list_deinit(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list){ 0 };
}
