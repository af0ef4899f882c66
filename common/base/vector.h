// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_VECTOR_H
#define COMMON_BASE_VECTOR_H

/**
 * @file
 *
 * Arrays that grow: any struct with the members `items`, a pointer, and `count`,
 * a size_t, which starts zeroed. The capacity is the next power of two.
 */

#include <stddef.h>

#include "common/base/memory.h"

/** For vector_add(): room for one item more. */
static inline void *vector_grow(void *items, size_t count, size_t size_bytes)
{
	// A count that is a power of two is the capacity.
	if (count & (count - 1))
		return items;
	return memory_resize(items, count ? 2 * count : 1, size_bytes);
}

/** Add an item: `vector_add(&list) = item`. */
#define vector_add(vector)                                                     \
	(*({                                                                   \
		__typeof__(vector) _vector = (vector);                         \
		_vector->items = vector_grow(_vector->items, _vector->count,   \
					     sizeof(*_vector->items));         \
		&_vector->items[_vector->count++];                             \
	}))

#endif /* COMMON_BASE_VECTOR_H */
