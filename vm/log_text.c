// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/log_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
#include "common/string_builder.h"

static const char replacement[] = "\xef\xbf\xbd";

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

bool utf8_is_control(const char *character)
{
	const unsigned char *p = (const unsigned char *)character;

	// The second range, U+0080 to U+009F, is obeyed by some terminals.
	return p[0] < ' ' || p[0] == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0);
}

/** Bytes of the escape sequence that text begins with (ECMA-48). */
static size_t escape_length(const char *text, size_t size)
{
	size_t i = 2;

	if (size < 2)
		return size;
	switch (text[1]) {
	case '[':
		while (i < size && text[i] >= 0x20 && text[i] <= 0x3f)
			i++;
		return i < size ? i + 1 : size;
	case ']':
		// Such as a window's title, ended by BEL or ESC \.
		while (i < size && text[i] != '\a' && text[i] != '\033' &&
		       text[i] != '\n')
			i++;
		return i < size && text[i] == '\a' ? i + 1 : i;
	default:
		return 2;
	}
}

void log_text_append(struct string_builder *sb, const char *text, size_t size)
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
			string_builder_append(sb, replacement);
		else if (c == '\n' || c == '\t' || !utf8_is_control(text + i))
			string_builder_append_n(sb, text + i, length);
		if (c == '\n')
			line = sb->length;
		i += length ? length : 1;
	}
}

const char *log_text_last_lines(const char *text, size_t lines)
{
	const char *p = text + strlen(text);

	for (; p > text; p--) {
		bool begins_line = p[-1] == '\n' && *p;

		if (begins_line && --lines == 0)
			break;
	}
	return p;
}

struct error *log_text_tail(const char *path, size_t lines, size_t limit_bytes,
			    char **ret)
{
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	_cleanup_free_ char *data = NULL;
	_cleanup_string_builder_ struct string_builder clean =
		STRING_BUILDER_INIT;
	_cleanup_string_builder_ struct string_builder tail = STRING_BUILDER_INIT;
	struct stat st;
	off_t offset;
	ssize_t size;

	if (fd < 0 && path && errno != ENOENT)
		return error_create_os(errno, "open %s", path);
	if (fd < 0)
		return string_builder_finish(&tail, ret);
	if (fstat(fd, &st) < 0)
		return error_create_os(errno, "read %s", path);
	data = malloc(limit_bytes);
	if (!data)
		return error_no_memory();
	offset = st.st_size > (off_t)limit_bytes ? st.st_size - (off_t)limit_bytes
						 : 0;
	size = pread(fd, data, limit_bytes, offset);
	if (size < 0)
		return error_create_os(errno, "read %s", path);
	log_text_append(&clean, data, (size_t)size);
	if (clean.length && clean.text[clean.length - 1] != '\n')
		string_builder_append_char(&clean, '\n');
	if (clean.length)
		string_builder_append(&tail,
				      log_text_last_lines(clean.text, lines));
	tail.failed |= clean.failed;
	return string_builder_finish(&tail, ret);
}
