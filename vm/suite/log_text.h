// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_LOG_TEXT_H
#define VM_SUITE_LOG_TEXT_H

/** @file The end of what a command has printed, as plain text (text.h). */

#include <stddef.h>

#include "common/base/cleanup.h"

struct error;

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
