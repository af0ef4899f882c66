// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_GUEST_STREAMS_H
#define VM_GUEST_GUEST_STREAMS_H

/**
 * @file
 *
 * A command's stdin, stdout and stderr, copied between the caller's descriptors
 * and the guest's ports through a buffer each, as is what we send over the
 * control port. The caller polls.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

struct error;
struct guest_config;

enum {
	/** What init.sh is told. */
	GUEST_STREAM_CONTROL,
	GUEST_STREAM_STDIN,
	GUEST_STREAM_STDOUT,
	GUEST_STREAM_STDERR,
	GUEST_STREAM_COUNT,
	/** Each may wait for either of its ends. */
	GUEST_STREAM_POLL_COUNT = 2 * GUEST_STREAM_COUNT,

	/** Ctrl-], so often in a row, ends the guest. */
	GUEST_ESCAPE = 0x1d,
	GUEST_ESCAPE_COUNT = 3,

	/** How much of a stream waits in memory when its reader is slow. */
	GUEST_INPUT_LIMIT_BYTES = 1 << 20,
	/**
	 * The guest's kernel spins with interrupts off while we do not take
	 * what it writes, so we take a lot.
	 */
	GUEST_OUTPUT_LIMIT_BYTES = 64 << 20,
};

struct guest_stream {
	/** Borrowed; -1 for one that is not there. */
	int from_fd;
	int to_fd;
	/** Reading stops while so much waits to be written. */
	size_t limit_bytes;
	/** How much more may come; the rest is dropped, and a flood. */
	uint64_t allowed_bytes;
	bool flooded;
	/**
	 * Most that is written at once: a pipe that polls writable takes
	 * PIPE_BUF without blocking.
	 */
	size_t chunk_bytes;
	struct string_builder data;
	/** How much of the data has been written. */
	size_t written;
	/** There is nothing more to read. */
	bool ended;
	/** Nobody reads what we write any more. */
	bool broken;
};

struct guest_streams {
	struct guest_stream items[GUEST_STREAM_COUNT];
	/** Whether input is typed: then a key ends the guest. */
	bool interactive;
	/** How often in a row it was pressed. */
	unsigned int escapes;
};

/**
 * Descriptors are borrowed.
 *
 * @param[in] port_fds By enum qemu_port, not blocking; -1 for none.
 */
void guest_streams_init(struct guest_streams *streams,
			const struct guest_config *config, const int *port_fds);
void guest_streams_deinit(struct guest_streams *streams);

/** What to poll for. */
void guest_streams_prepare(const struct guest_streams *streams,
			   struct pollfd poll_ret[static GUEST_STREAM_POLL_COUNT]);

/**
 * Move what poll(2) said can be moved.
 *
 * @param[out] moved_ret Set to true if any byte moved.
 * @return ERROR_CANCELLED if the user asked to end the guest.
 */
_must_check_ struct error *
guest_streams_move(struct guest_streams *streams,
		   const struct pollfd polled[static GUEST_STREAM_POLL_COUNT],
		   bool *moved_ret);

/**
 * Send something over the control port; not while a guest does not read what it
 * has been sent.
 */
void guest_streams_say(struct guest_streams *streams, const char *text);

/**
 * Read all output that has arrived. From now on it is only passed on: nothing
 * more is read, from either side; but things can be said.
 */
_must_check_ struct error *guest_streams_collect(struct guest_streams *streams);

/** After that: take what still comes, which nobody wants, so that no one waits. */
void guest_streams_discard(struct guest_streams *streams);

/** After guest_streams_collect(): whether all of it has been passed on. */
bool guest_streams_is_flushed(const struct guest_streams *streams);

/** Whether output stands still because its reader, not the guest, is slow. */
bool guest_streams_is_full(const struct guest_streams *streams);

/** Whether the command has written more than config->output_limit_bytes. */
bool guest_streams_is_flooded(const struct guest_streams *streams);

/** Whether nobody reads the command's stdout any more. */
bool guest_streams_is_broken(const struct guest_streams *streams);

#endif /* VM_GUEST_GUEST_STREAMS_H */
