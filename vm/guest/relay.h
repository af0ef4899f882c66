// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_RELAY_H
#define VM_GUEST_RELAY_H

/**
 * @file
 *
 * One direction of a stream, from one descriptor to another, through a buffer.
 * The loop that polls is the caller's.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct error;

struct relay {
	/** Borrowed; -1 for a stream that is not there, which is done. */
	int from_fd;
	int to_fd;
	/** Reading stops while so much waits to be written. */
	size_t limit_bytes;
	/**
	 * Most that is written at once: a pipe that polls writable takes
	 * PIPE_BUF without blocking.
	 */
	size_t chunk_bytes;
	char *data;
	size_t capacity;
	size_t start;
	size_t length;
	/** The source has ended. */
	bool ended;
	/** Nobody reads what we write any more. */
	bool broken;
};

#define RELAY_INIT                                                             \
	{                                                                      \
		.from_fd = -1, .to_fd = -1, .ended = true                      \
	}

void relay_init(struct relay *relay, int from_fd, int to_fd, size_t limit_bytes);
void relay_deinit(struct relay *relay);

#define _cleanup_relay_ _cleanup_(relay_deinit)

/** Add data of our own to what is to be written. */
void relay_feed(struct relay *relay, const char *data, size_t size_bytes);

/** What to poll for: [0] the source, [1] the destination; fd -1 for nothing. */
void relay_prepare(const struct relay *relay, struct pollfd poll_ret[static 2]);

/**
 * Move what poll(2) said can be moved.
 *
 * @param[out] moved_ret Set to true if any byte moved.
 */
_must_check_ struct error *relay_move(struct relay *relay,
				      const struct pollfd polled[static 2],
				      bool *moved_ret);

/**
 * Read what has arrived already, whatever its size, without waiting for more.
 * The source must be non-blocking.
 */
_must_check_ struct error *relay_collect(struct relay *relay);

/** Whether the source has ended and all of it has been written. */
bool relay_is_done(const struct relay *relay);

#endif /* VM_GUEST_RELAY_H */
