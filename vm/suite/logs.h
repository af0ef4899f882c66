// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_LOGS_H
#define VM_SUITE_LOGS_H

/**
 * @file
 *
 * Directories of logs, one a run, of which the newest are kept; and the ends of
 * logs, as plain text (text.h).
 */

#include <stddef.h>

#include "common/base/cleanup.h"

struct error;

/**
 * Make a directory named by the time, and delete the oldest beyond @p keep.
 *
 * @param[out] path_ret free()
 */
_must_check_ struct error *logs_create(const char *parent, unsigned int keep,
				       char **path_ret);

/** Where the last lines of text that ends with a newline begin. */
const char *logs_last_lines(const char *text, size_t lines);

/**
 * The last lines of a log, ended by a newline unless there are none; free(). If
 * it cannot be read, why.
 *
 * @param[in] path A file that is not there, or NULL, is an empty log.
 * @param[in] limit_bytes Of the file, whatever the number of lines.
 */
char *logs_tail(const char *path, size_t lines, size_t limit_bytes);

#endif /* VM_SUITE_LOGS_H */
