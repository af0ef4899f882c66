// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/relay.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/memory.h"

enum {
	RELAY_READ_BYTES = 65536
};

void relay_init(struct relay *relay, int from_fd, int to_fd, size_t limit_bytes)
{
	struct stat st;
	bool takes_all = fstat(to_fd, &st) == 0 &&
			 (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode));

	*relay = (struct relay){
		.from_fd = from_fd,
		.to_fd = to_fd,
		.limit_bytes = limit_bytes,
		.chunk_bytes = takes_all ? (size_t)1 << 20 : PIPE_BUF,
	};
}

void relay_deinit(struct relay *relay)
{
	free(relay->data);
	*relay = (struct relay)RELAY_INIT;
}

void relay_prepare(const struct relay *relay, struct pollfd poll_ret[static 2])
{
	bool read = !relay->ended && relay->length < relay->limit_bytes;

	poll_ret[0] = (struct pollfd){
		.fd = read ? relay->from_fd : -1,
		.events = POLLIN,
	};
	poll_ret[1] = (struct pollfd){
		.fd = relay->length && !relay->broken ? relay->to_fd : -1,
		.events = POLLOUT,
	};
}

static void relay_reserve(struct relay *relay, size_t more)
{
	if (relay->start &&
	    relay->start + relay->length + more > relay->capacity) {
		memmove(relay->data, relay->data + relay->start, relay->length);
		relay->start = 0;
	}
	if (relay->length + more <= relay->capacity)
		return;
	relay->capacity = 2 * relay->capacity + more;
	relay->data = memory_resize(relay->data, relay->capacity, 1);
}

void relay_feed(struct relay *relay, const char *data, size_t size_bytes)
{
	relay_reserve(relay, size_bytes);
	memcpy(relay->data + relay->start + relay->length, data, size_bytes);
	relay->length += size_bytes;
}

/** @param[out] size_ret Bytes read; 0 at the end, or if nothing is there. */
static struct error *relay_read(struct relay *relay, size_t *size_ret)
{
	relay_reserve(relay, RELAY_READ_BYTES);

	ssize_t n = read(relay->from_fd,
			 relay->data + relay->start + relay->length,
			 RELAY_READ_BYTES);

	*size_ret = 0;
	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return NULL;
		// How a socket whose other side died, and a pseudoterminal
		// whose user has gone, end.
		if (errno != ECONNRESET && errno != EIO)
			return error_create_os(errno, "read a stream");
		n = 0;
	}
	if (n == 0)
		relay->ended = true;
	relay->length += (size_t)n;
	*size_ret = (size_t)n;
	if (relay->broken)
		relay->length = 0;
	return NULL;
}

static struct error *relay_write(struct relay *relay, bool *moved_ret)
{
	size_t size = relay->length;

	if (size > relay->chunk_bytes)
		size = relay->chunk_bytes;

	// Asked first as if it were a socket, which must not block and must not
	// raise SIGPIPE.
	ssize_t n = send(relay->to_fd, relay->data + relay->start, size,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK)
		n = write(relay->to_fd, relay->data + relay->start, size);
	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return NULL;
		if (errno != EPIPE && errno != ECONNRESET && errno != EIO)
			return error_create_os(errno, "write a stream");
		relay->broken = true;
		relay->length = 0;
		return NULL;
	}
	*moved_ret |= n > 0;
	relay->start += (size_t)n;
	relay->length -= (size_t)n;
	if (!relay->length)
		relay->start = 0;
	return NULL;
}

struct error *relay_move(struct relay *relay,
			 const struct pollfd polled[static 2], bool *moved_ret)
{
	struct error *err;

	if (polled[0].fd >= 0 && polled[0].revents) {
		size_t size = 0;

		err = relay_read(relay, &size);
		if (err)
			return err;
		*moved_ret |= size > 0;
	}
	if (polled[1].fd >= 0 && polled[1].revents)
		return relay_write(relay, moved_ret);
	return NULL;
}

struct error *relay_collect(struct relay *relay)
{
	struct error *err;
	size_t size = 1;

	while (!relay->ended && size) {
		err = relay_read(relay, &size);
		if (err)
			return err;
	}
	return NULL;
}

bool relay_is_done(const struct relay *relay)
{
	return relay->ended && (!relay->length || relay->broken);
}
