// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_UTF8_H
#define COMMON_BASE_UTF8_H

/** @file Bytes that may be text. */

#include <stdbool.h>
#include <stddef.h>

/** What stands for a byte that is no part of a character: U+FFFD. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/** Whether it is a control character, newlines and tabs included. */
bool utf8_is_control(const char *character);

/** The bytes of the UTF-8 character that text begins with; 0 if it is none. */
size_t utf8_length(const char *text, size_t size);

#endif /* COMMON_BASE_UTF8_H */
