// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_TEXT_JSON_H
#define COMMON_BASE_TEXT_JSON_H

/**
 * @file
 *
 * Strings of JSON that are made of paths, of what programs print, and of
 * messages with such in them. These need not be UTF-8, and jansson's
 * json_string() makes nothing of what is not.
 */

struct json_t;

/**
 * A string with U+FFFD for each byte that is no part of a character.
 *
 * @param[in] text NULL for null.
 * @return A reference that the caller owns; NULL if there is no memory.
 */
struct json_t *text_json(const char *text);

#endif /* COMMON_BASE_TEXT_JSON_H */
