// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_ARCHIVE_BYTE_QUEUE_H
#define COMMON_ARCHIVE_BYTE_QUEUE_H

/**
 * @file
 *
 * A bounded stream of bytes from one thread to another. Either may close it,
 * and the other then learns of it instead of waiting for ever.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct byte_queue;
struct error;

_must_check_ struct error *byte_queue_create(size_t capacity_bytes,
					     struct byte_queue **ret);
void byte_queue_destroy(struct byte_queue *queue);

/** Add bytes, waiting for room. @return false if the queue was closed. */
_must_check_ bool byte_queue_push(struct byte_queue *queue, const void *data,
				  size_t size_bytes);

/** Say that no more will be pushed. */
void byte_queue_end(struct byte_queue *queue);

/**
 * Take the next bytes, waiting for some.
 *
 * @param[out] data_ret Borrowed until the next call.
 * @param[out] size_ret 0 at the end.
 * @return false if the queue was closed.
 */
_must_check_ bool byte_queue_take(struct byte_queue *queue,
				  const void **data_ret, size_t *size_ret);

/** Give up: what is queued is lost. From any thread. */
void byte_queue_close(struct byte_queue *queue);

#endif /* COMMON_ARCHIVE_BYTE_QUEUE_H */
