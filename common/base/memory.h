// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_MEMORY_H
#define COMMON_BASE_MEMORY_H

/**
 * @file
 *
 * Memory. Nothing here fails: out of memory ends the program with one line, as
 * in git. A run that dies is repaired by the next one.
 */

#include <stdarg.h>
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
_printf_(1, 0) char *string_vformat(const char *format, va_list ap);

/** End the program; for libraries that report a lack of memory. */
_Noreturn void memory_exhausted(void);

/** For vector_add(): room for one item more. */
static inline void *vector_grow(void *items, size_t count, size_t size_bytes)
{
	// A count that is a power of two is the capacity.
	if (count & (count - 1))
		return items;
	return memory_resize(items, count ? 2 * count : 1, size_bytes);
}

/**
 * Add an item to an array that grows, `vector_add(&list) = item`: any struct
 * with the members `items`, a pointer, and `count`, a size_t, which starts
 * zeroed. The capacity is the next power of two.
 */
#define vector_add(vector)                                                     \
	(*({                                                                   \
		__typeof__(vector) _vector = (vector);                         \
		_vector->items = vector_grow(_vector->items, _vector->count,   \
					     sizeof(*_vector->items));         \
		&_vector->items[_vector->count++];                             \
	}))

#endif /* COMMON_BASE_MEMORY_H */
