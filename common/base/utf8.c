// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/utf8.h"

#include "common/base/cleanup.h"

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
