// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_LOG_TEXT_H
#define VM_SUITE_LOG_TEXT_H

/**
 * @file
 *
 * What a command has printed, made fit to be shown anywhere: valid UTF-8, no
 * control characters but newlines and tabs, no escape sequences of terminals. A
 * line that was rewritten with carriage returns is what was left standing.
 */

#include <stddef.h>

#include "common/base/cleanup.h"

struct error;
struct string_builder;

/** Append text in this form. */
void log_text_append(struct string_builder *sb, const char *text, size_t size);

/** Where the last lines of text that ends with a newline begin. */
const char *log_text_last_lines(const char *text, size_t lines);

/**
 * The last lines of a log, in this form, ended by a newline unless empty.
 *
 * @param[in] path A file that is not there, or NULL, is an empty log.
 * @param[in] limit_bytes Of the file, whatever the number of lines.
 * @param[out] ret free()
 */
_must_check_ struct error *log_text_tail(const char *path, size_t lines,
					 size_t limit_bytes, char **ret);

#endif /* VM_SUITE_LOG_TEXT_H */
