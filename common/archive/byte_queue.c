// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/byte_queue.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"

struct byte_queue {
	pthread_mutex_t mutex;
	/** Broadcast whenever something below changes. */
	pthread_cond_t changed;
	char *bytes;
	size_t capacity;
	/** Bytes ever pushed and ever given back; the difference is queued. */
	uint64_t pushed;
	uint64_t returned;
	/** What the reader has borrowed. */
	size_t lent;
	bool ended;
	bool closed;
};

struct error *byte_queue_create(size_t capacity_bytes, struct byte_queue **ret)
{
	struct byte_queue *queue = memory_allocate(1, sizeof(*queue));
	queue->capacity = capacity_bytes;
	queue->bytes = memory_allocate(1, capacity_bytes);
	pthread_mutex_init(&queue->mutex, NULL);
	pthread_cond_init(&queue->changed, NULL);
	*ret = queue;
	return NULL;
}

void byte_queue_destroy(struct byte_queue *queue)
{
	if (!queue)
		return;
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->mutex);
	free(queue->bytes);
	free(queue);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

bool byte_queue_push(struct byte_queue *queue, const void *data, size_t size_bytes)
{
	const char *p = data;
	bool closed;

	pthread_mutex_lock(&queue->mutex);
	while (size_bytes && !queue->closed) {
		size_t offset = queue->pushed % queue->capacity;
		size_t size = queue->capacity -
			      (size_t)(queue->pushed - queue->returned);

		if (!size) {
			pthread_cond_wait(&queue->changed, &queue->mutex);
			continue;
		}
		size = smaller(smaller(size, queue->capacity - offset),
			       size_bytes);
		// The reader does not look at what is not pushed yet.
		pthread_mutex_unlock(&queue->mutex);
		memcpy(queue->bytes + offset, p, size);
		pthread_mutex_lock(&queue->mutex);
		p += size;
		size_bytes -= size;
		queue->pushed += size;
		pthread_cond_broadcast(&queue->changed);
	}
	closed = queue->closed;
	pthread_mutex_unlock(&queue->mutex);
	return !closed;
}

void byte_queue_end(struct byte_queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->ended = true;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->mutex);
}

bool byte_queue_take(struct byte_queue *queue, const void **data_ret,
		     size_t *size_ret)
{
	size_t offset;
	bool closed;

	pthread_mutex_lock(&queue->mutex);
	if (queue->lent) {
		queue->returned += queue->lent;
		queue->lent = 0;
		pthread_cond_broadcast(&queue->changed);
	}
	while (queue->pushed == queue->returned && !queue->ended && !queue->closed)
		pthread_cond_wait(&queue->changed, &queue->mutex);
	offset = queue->returned % queue->capacity;
	queue->lent = smaller((size_t)(queue->pushed - queue->returned),
			      queue->capacity - offset);
	// Half at most, so that the writer need not wait for all of it.
	queue->lent = smaller(queue->lent, queue->capacity / 2);
	*data_ret = queue->bytes + offset;
	*size_ret = queue->lent;
	closed = queue->closed;
	pthread_mutex_unlock(&queue->mutex);
	return !closed;
}

void byte_queue_close(struct byte_queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->closed = true;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->mutex);
}
