// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/text.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

const struct unit size_units[UNIT_COUNT] = { { 'M', 1 << 20 },
					     { 'G', 1 << 30 },
					     { 'T', 1LL << 40 } };

bool amount_parse(const char *text, const struct unit *units, char implied,
		  uint64_t *ret)
{
	static const uint64_t max = 1ULL << 60;
	size_t digits = strspn(text, "0123456789");
	const char *letter = text[digits] ? &text[digits] : &implied;
	uint64_t number = strtoull(text, NULL, 10);

	if (!digits || (text[digits] && text[digits + 1]))
		return false;
	for (size_t i = 0; i < UNIT_COUNT; i++) {
		if (*letter == units[i].letter && number <= max / units[i].value) {
			*ret = number * units[i].value;
			return true;
		}
	}
	return false;
}

size_t utf8_length(const char *text, size_t size)
{
	// By the first byte: how many, and the range of the second, which keeps
	// out overlong forms, surrogates, and what lies beyond U+10FFFF.
	static const struct {
		unsigned char first, last, low, high;
		size_t length;
	} rows[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	const unsigned char *p = (const unsigned char *)text;

	for (size_t i = 0; i < array_size(rows); i++) {
		if (!size || p[0] < rows[i].first || p[0] > rows[i].last)
			continue;
		if (rows[i].length > size)
			return 0;
		if (rows[i].length > 1 &&
		    (p[1] < rows[i].low || p[1] > rows[i].high))
			return 0;
		for (size_t j = 2; j < rows[i].length; j++) {
			if ((p[j] & 0xc0) != 0x80)
				return 0;
		}
		return rows[i].length;
	}
	return 0;
}

size_t utf8_cut(const char *text, size_t size_bytes, size_t limit_bytes)
{
	if (size_bytes <= limit_bytes)
		return size_bytes;
	while (limit_bytes && (text[limit_bytes] & 0xc0) == 0x80)
		limit_bytes--;
	return limit_bytes;
}

bool utf8_is_control(const char *character)
{
	// Some terminals obey U+0080 to U+009F, too. U+2028 to U+202E and U+2066
	// to U+2069 end a line, and change the order in which text is shown.
	static const struct {
		unsigned char first, second, low, high;
	} rows[] = { { 0xc2, 0, 0x80, 0x9f },
		     { 0xe2, 0x80, 0xa8, 0xae },
		     { 0xe2, 0x81, 0xa6, 0xa9 } };
	const unsigned char *p = (const unsigned char *)character;

	if (p[0] < ' ' || p[0] == 0x7f)
		return true;
	for (size_t i = 0; i < array_size(rows); i++) {
		size_t last = rows[i].second ? 2 : 1;

		if (p[0] == rows[i].first &&
		    (!rows[i].second || p[1] == rows[i].second) &&
		    p[last] >= rows[i].low && p[last] <= rows[i].high)
			return true;
	}
	return false;
}

/**
 * Make a command of GitHub Actions none: one that begins a line, behind what
 * may be spaces, `::NAME`, and one that stands anywhere, `##[NAME]`.
 */
static void disarm_commands(char *text)
{
	for (char *p = text; (p = strstr(p, "##["));)
		p[2] = '?';
	for (char *line = text; line; line = strchr(line, '\n')) {
		while (*line && (*line <= ' ' || *line & 0x80))
			line++;
		if (line[0] == ':' && line[1] == ':' &&
		    isalpha((unsigned char)line[2]))
			line[0] = '?';
	}
}

/** @param[in] kept Control characters that stay. */
static char *replace_controls(char *text, char instead, const char *kept)
{
	char *end = text;

	for (const char *p = text; *p;) {
		size_t length = utf8_length(p, strnlen(p, 4));
		// A byte alone may be a control character of ISO 8859.
		bool is_control = length ? utf8_is_control(p) && !strchr(kept, *p)
					 : (unsigned char)*p < 0xa0;

		if (!length)
			length = 1;
		if (is_control)
			*end++ = instead;
		else
			end = (char *)memmove(end, p, length) + length;
		p += length;
	}
	*end = '\0';
	disarm_commands(text);
	return text;
}

char *text_make_line(char *text, char instead)
{
	return replace_controls(text, instead, "");
}

char *text_make_safe(char *text)
{
	return replace_controls(text, '?', "\n\t");
}

char *text_hide_credentials(char *text)
{
	char *end = text;

	for (const char *p = text; *p;) {
		bool is_after = end - text >= 3 && memcmp(end - 3, "://", 3) == 0;
		// A password may have an @ of its own.
		const char *at =
			is_after ? memrchr(p, '@', strcspn(p, "/?# \t\n")) : NULL;

		if (at)
			p = at + 1;
		else
			*end++ = *p++;
	}
	*end = '\0';
	return text;
}

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

/** Append a character, or what stands for a byte that is none. @return Its bytes. */
static size_t append_character(struct string_builder *sb, const char *text,
			       size_t size)
{
	size_t length = utf8_length(text, size);

	if (!length) {
		string_builder_append(sb, UTF8_REPLACEMENT);
		return 1;
	}
	string_builder_append_n(sb, text, length);
	return length;
}

void text_append_plain(struct string_builder *sb, const char *text, size_t size)
{
	const size_t start = sb->length;
	size_t line = start;

	for (size_t i = 0; i < size;) {
		char c = text[i];

		if (c == '\033') {
			i += escape_length(text + i, size - i);
			continue;
		}
		if (c == '\r' && !(i + 1 < size && text[i + 1] == '\n') &&
		    sb->text) {
			sb->length = line;
			sb->text[line] = '\0';
		}
		size_t length = utf8_length(text + i, size - i);
		if (length && c != '\n' && c != '\t' && utf8_is_control(text + i))
			i += length;
		else
			i += append_character(sb, text + i, size - i);
		if (c == '\n')
			line = sb->length;
	}
	if (sb->text)
		disarm_commands(sb->text + start);
}

struct json_t *text_json(const char *text)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	size_t size = text ? strlen(text) : 0;

	if (!text)
		return json_null();
	for (size_t i = 0; i < size;)
		i += append_character(&sb, text + i, size - i);

	json_t *json = json_stringn(sb.length ? sb.text : "", sb.length);

	if (!json)
		memory_exhausted();
	return json;
}

/** Append backquotes: more than the text has in a row. */
static void append_fence(struct string_builder *sb, const char *text,
			 size_t at_least)
{
	size_t longest = at_least - 1;

	for (const char *p = text; *p;) {
		size_t length = strspn(p, "`");

		if (length > longest)
			longest = length;
		p += length ? length : 1;
	}
	for (size_t i = 0; i <= longest; i++)
		string_builder_append_char(sb, '`');
}

void markdown_append_code(struct string_builder *sb, const char *text)
{
	if (!*text)
		return;
	append_fence(sb, text, 1);
	// A space on either side is not shown, and keeps backquotes apart.
	string_builder_append_char(sb, ' ');
	for (const char *p = text; *p; p++) {
		// In a table a bar ends the cell, even in code.
		if (*p == '|')
			string_builder_append_char(sb, '\\');
		string_builder_append_char(sb, strchr("\r\n\t", *p) ? ' ' : *p);
	}
	string_builder_append_char(sb, ' ');
	append_fence(sb, text, 1);
}

void markdown_append_details(struct string_builder *sb, const char *title,
			     const char *text)
{
	size_t length = strlen(text);
	bool ends_line = length && text[length - 1] == '\n';

	string_builder_append(sb, "\n<details><summary>");
	// In HTML no Markdown is read.
	for (const char *p = title; *p; p++) {
		if (strchr("&<>", *p))
			string_builder_appendf(sb, "&#%d;", *p);
		else
			string_builder_append_char(sb, *p == '\n' ? ' ' : *p);
	}
	string_builder_append(sb, "</summary>\n\n");
	append_fence(sb, text, 3);
	string_builder_appendf(sb, "\n%s%s", text, ends_line ? "" : "\n");
	append_fence(sb, text, 3);
	string_builder_append(sb, "\n\n</details>\n");
}
