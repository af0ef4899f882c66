// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/string_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

/** Takes @p text, which may be NULL if there was no memory for it. */
static void string_list_take(struct string_list *list, char *text)
{
	char **items;

	if (!text || list->failed) {
		list->failed = true;
		free(text);
		return;
	}
	items = reallocarray(list->items, list->count + 2, sizeof(*items));
	if (!items) {
		list->failed = true;
		free(text);
		return;
	}
	items[list->count++] = text;
	items[list->count] = NULL;
	list->items = items;
}

void string_list_add(struct string_list *list, const char *text)
{
	string_list_take(list, strdup(text));
}

void string_list_addf(struct string_list *list, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	string_list_take(list, text);
}

void string_list_add_split(struct string_list *list, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, ",");

		if (length)
			string_list_take(list, strndup(text, length));
		text += length;
		text += *text == ',';
	}
}

bool string_list_contains(const struct string_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], text) == 0)
			return true;
	}
	return false;
}

struct error *string_list_check(const struct string_list *list)
{
	return list->failed ? error_no_memory() : NULL;
}

void string_list_deinit(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list)STRING_LIST_INIT;
}
