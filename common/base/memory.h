// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_MEMORY_H
#define COMMON_BASE_MEMORY_H

/**
 * @file
 *
 * Memory. Nothing here fails: out of memory ends the program with one line, as
 * in git. A run that dies is repaired by the next one.
 */

#include <stddef.h>

#include "common/base/cleanup.h"

/** Zeroed memory for some objects; free(). Never NULL, not even for none. */
void *memory_allocate(size_t count, size_t size_bytes);

/** As reallocarray(3). */
void *memory_resize(void *memory, size_t count, size_t size_bytes);

/** A copy of a string; free(). NULL for NULL. */
char *string_copy(const char *text);

/** A copy of at most so many bytes of a string, with a null byte; free(). */
char *string_copy_n(const char *text, size_t length);

/** As asprintf(3); free(). */
_printf_(1, 2) char *string_format(const char *format, ...);

/** End the program: for what libraries report. */
_Noreturn void memory_exhausted(void);

#endif /* COMMON_BASE_MEMORY_H */
