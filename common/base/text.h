// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_TEXT_H
#define COMMON_BASE_TEXT_H

/**
 * @file
 *
 * Text from elsewhere: paths, what programs print, and messages with such in
 * them. It need not be UTF-8.
 */

#include <stdbool.h>
#include <stddef.h>

struct json_t;
struct string_builder;

/** What stands for a byte that is no part of a character: U+FFFD. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/** The bytes of the UTF-8 character that text begins with; 0 if it is none. */
size_t utf8_length(const char *text, size_t size);

/** Whether it is a control character, newlines and tabs included. */
bool utf8_is_control(const char *character);

/**
 * Append what a program has printed, made fit to be shown anywhere: valid UTF-8,
 * no control characters but newlines and tabs, no escape sequences of terminals.
 * A line that was rewritten with carriage returns is what was left standing.
 */
void text_append_plain(struct string_builder *sb, const char *text, size_t size);

/**
 * A string of JSON, with U+FFFD for each byte that is no part of a character:
 * jansson's json_string() makes nothing of what is not UTF-8.
 *
 * @param[in] text NULL for null.
 * @return A reference that the caller owns.
 */
struct json_t *text_json(const char *text);

#endif /* COMMON_BASE_TEXT_H */
