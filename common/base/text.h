// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_TEXT_H
#define COMMON_BASE_TEXT_H

/**
 * @file
 *
 * What a program has printed, made fit to be shown anywhere: valid UTF-8, no
 * control characters but newlines and tabs, no escape sequences of terminals. A
 * line that was rewritten with carriage returns is what was left standing.
 */

#include <stddef.h>

struct string_builder;

/** Append text in this form. */
void text_append_plain(struct string_builder *sb, const char *text, size_t size);

#endif /* COMMON_BASE_TEXT_H */
