// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/libgit_stream.h"

#include <errno.h>
#include <git2.h>
#if __has_include(<git2/sys/errors.h>) // since libgit2 1.8
#include <git2/sys/errors.h>
#endif
#include <git2/sys/stream.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/http/limits.h"
#include "common/kernel/libgit.h"
#include "common/process/process.h"

struct stream {
	git_stream base;
	char *host;
	char *port;
	int fd;
	int interrupt_fd;
	uint64_t stall_ms;
};

/** Set libgit2's error. @return What its callbacks return then. */
static int fail(const struct stream *stream, const char *what)
{
	git_error_set(GIT_ERROR_NET, "%s:%s: %s", stream->host, stream->port,
		      what);
	return -1;
}

/** Wait until the socket is ready, or the user's patience ends. */
static int wait_for(const struct stream *stream, short events)
{
	struct pollfd fds[] = {
		{ stream->fd, events, 0 },
		{ stream->interrupt_fd, POLLIN, 0 },
	};
	uint64_t deadline_ms = monotonic_ms() + stream->stall_ms;
	char text[64];

	for (;;) {
		uint64_t now_ms = monotonic_ms();
		int count = 0;

		if (now_ms < deadline_ms)
			count = poll(fds, 2, (int)(deadline_ms - now_ms));
		if (count < 0 && errno != EINTR)
			return fail(stream, strerrordesc_np(errno));
		// libgit_error() makes the error of it.
		if (count > 0 && fds[1].revents)
			return fail(stream, "interrupted");
		if (count > 0)
			return 0;
		if (monotonic_ms() >= deadline_ms)
			break;
	}
	snprintf(text, sizeof(text), "nothing came for %llu s",
		 (unsigned long long)stream->stall_ms / 1000);
	return fail(stream, text);
}

static int connect_address(struct stream *stream, const struct addrinfo *address)
{
	int errnum = 0;
	socklen_t size = sizeof(errnum);

	stream->fd = socket(address->ai_family,
			    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			    address->ai_protocol);
	if (stream->fd < 0)
		return fail(stream, strerrordesc_np(errno));
	if (connect(stream->fd, address->ai_addr, address->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return fail(stream, strerrordesc_np(errno));
	if (wait_for(stream, POLLOUT) < 0)
		return -1;
	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &errnum, &size) < 0)
		errnum = errno;
	return errnum ? fail(stream, strerrordesc_np(errnum)) : 0;
}

static int stream_connect(git_stream *base)
{
	struct stream *stream = (struct stream *)base;
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *addresses;
	int code = getaddrinfo(stream->host, stream->port, &hints, &addresses);

	if (code)
		return fail(stream, gai_strerror(code));
	code = -1;
	for (const struct addrinfo *a = addresses; a && code < 0; a = a->ai_next) {
		cleanup_close(&stream->fd);
		stream->fd = -1;
		code = connect_address(stream, a);
	}
	freeaddrinfo(addresses);
	return code;
}

/** A call has failed. @return 0, once it is worth another try; or -1. */
static int recover(const struct stream *stream, short events)
{
	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return fail(stream, strerrordesc_np(errno));
	return wait_for(stream, events);
}

static ssize_t stream_read(git_stream *base, void *data, size_t size)
{
	struct stream *stream = (struct stream *)base;
	ssize_t count;

	do {
		count = recv(stream->fd, data, size, 0);
	} while (count < 0 && recover(stream, POLLIN) == 0);
	return count;
}

static ssize_t stream_write(git_stream *base, const char *data, size_t size,
			    int flags)
{
	struct stream *stream = (struct stream *)base;
	ssize_t count;

	(void)flags;
	do {
		count = send(stream->fd, data, size, MSG_NOSIGNAL);
	} while (count < 0 && recover(stream, POLLOUT) == 0);
	return count;
}

static int stream_close(git_stream *base)
{
	struct stream *stream = (struct stream *)base;

	cleanup_close(&stream->fd);
	stream->fd = -1;
	return 0;
}

static void stream_free(git_stream *base)
{
	struct stream *stream = (struct stream *)base;

	cleanup_close(&stream->fd);
	cleanup_close(&stream->interrupt_fd);
	free(stream->host);
	free(stream->port);
	free(stream);
}

/** libgit2 asks for a stream: where the environment is read, for want of more. */
static int stream_init(git_stream **ret, const char *host, const char *port)
{
	_cleanup_error_ struct error *err = NULL;
	struct stream *stream = calloc(1, sizeof(*stream));
	struct limits limits;

	if (!stream) {
		git_error_set_oom();
		return -1;
	}
	stream->base = (git_stream){
		.version = GIT_STREAM_VERSION,
		.connect = stream_connect,
		.read = stream_read,
		.write = stream_write,
		.close = stream_close,
		.free = stream_free,
	};
	stream->fd = -1;
	stream->interrupt_fd = -1;
	stream->host = strdup(host);
	stream->port = strdup(port);
	err = limits_read(&limits);
	if (!err)
		err = interrupt_open(&stream->interrupt_fd);
	if (!stream->host || !stream->port)
		git_error_set_oom();
	else if (err)
		git_error_set_str(GIT_ERROR_OS, error_message(err));
	if (!stream->host || !stream->port || err) {
		stream_free(&stream->base);
		return -1;
	}
	stream->stall_ms = limits.stall_ms;
	*ret = &stream->base;
	return 0;
}

struct error *libgit_stream_register(void)
{
	git_stream_registration registration = {
		.version = GIT_STREAM_VERSION,
		.init = stream_init,
	};
	int code = git_stream_register(GIT_STREAM_STANDARD, &registration);

	if (code < 0)
		return libgit_error(code, "register sockets");
	return NULL;
}
