// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/text.h"

#include <stdbool.h>

#include "common/base/string_builder.h"
#include "common/base/utf8.h"

/** Bytes of the escape sequence that text begins with (ECMA-48). */
static size_t escape_length(const char *text, size_t size)
{
	size_t i = 1;

	if (size < 2)
		return size;
	switch (text[i++]) {
	case '[':
		while (i < size && text[i] >= 0x20 && text[i] <= 0x3f)
			i++;
		return i < size ? i + 1 : size;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
		// Such as a window's title, ended by BEL or ESC \.
		while (i < size && text[i] != '\a' && text[i] != '\033' &&
		       text[i] != '\n')
			i++;
		return i < size && text[i] == '\a' ? i + 1 : i;
	default:
		// Such as the choice of a character set.
		for (i = 1; i < size && text[i] >= 0x20 && text[i] <= 0x2f;)
			i++;
		return i < size && text[i] >= 0x30 && text[i] <= 0x7e ? i + 1 : i;
	}
}

void text_append_plain(struct string_builder *sb, const char *text, size_t size)
{
	size_t line = sb->length;

	for (size_t i = 0; i < size;) {
		size_t length = utf8_length(text + i, size - i);
		unsigned char c = (unsigned char)text[i];

		if (c == '\033') {
			i += escape_length(text + i, size - i);
			continue;
		}
		if (c == '\r' && !(i + 1 < size && text[i + 1] == '\n') &&
		    sb->text) {
			sb->length = line;
			sb->text[line] = '\0';
		}
		if (!length)
			string_builder_append(sb, UTF8_REPLACEMENT);
		else if (c == '\n' || c == '\t' || !utf8_is_control(text + i))
			string_builder_append_n(sb, text + i, length);
		if (c == '\n')
			line = sb->length;
		i += length ? length : 1;
	}
}
