// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_FILE_H
#define COMMON_BASE_FILE_H

/** @file Files and paths. What others may read gets its name only when whole. */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct error;

/** Join two parts of a path with one slash; an absolute @p name wins. free(). */
char *path_join(const char *directory, const char *name);

/** The same with a formatted second part. */
_printf_(2, 3) char *path_joinf(const char *directory, const char *format, ...);

bool file_exists(const char *path);

/**
 * Read a whole file.
 *
 * @param[out] text_ret NUL-terminated; free().
 * @param[out] size_ret May be NULL.
 * @return ERROR_NOT_FOUND if there is none; an error beyond @p limit_bytes.
 */
_must_check_ struct error *file_read(const char *path, size_t limit_bytes,
				     char **text_ret, size_t *size_ret);

/**
 * Write a file under a temporary name, and rename it into place.
 *
 * @return ERROR_USAGE if the name is that of something else, such as a device.
 */
_must_check_ struct error *file_write(const char *path, const void *data,
				      size_t size_bytes);

/**
 * Delete a file that file_write() may have written. No error if there is none.
 *
 * @return ERROR_USAGE as file_write().
 */
_must_check_ struct error *file_delete(const char *path);

/** Copy a file's contents (copy_file_range(2)) and its mode. */
_must_check_ struct error *file_copy(const char *from, const char *to);

/** The same, but it gets its name only when whole, and replaces what has it. */
_must_check_ struct error *file_install(const char *from, const char *to);

/** write(2) until all is written. @return 0, or an errno value. */
int write_all(int fd, const void *data, size_t size_bytes);

#endif /* COMMON_BASE_FILE_H */
