// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

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
