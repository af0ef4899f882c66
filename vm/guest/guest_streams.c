// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_streams.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "vm/guest/guest.h"

enum {
	/** Of one stream at the end: more than what can be on its way. */
	COLLECT_READS_MAX = 1000,
};

static void guest_stream_init(struct guest_stream *stream, int from_fd,
			      int to_fd, size_t limit_bytes)
{
	struct stat st;
	bool takes_all = fstat(to_fd, &st) == 0 &&
			 (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode));

	*stream = (struct guest_stream){
		.from_fd = from_fd,
		.to_fd = to_fd,
		.limit_bytes = limit_bytes,
		.allowed_bytes = UINT64_MAX,
		.chunk_bytes = takes_all ? (size_t)1 << 20 : PIPE_BUF,
	};
}

static void guest_stream_deinit(struct guest_stream *stream)
{
	string_builder_deinit(&stream->data);
	*stream = (struct guest_stream){
		.from_fd = -1,
		.to_fd = -1,
		.ended = true,
	};
}

static size_t guest_stream_pending(const struct guest_stream *stream)
{
	return stream->data.length - stream->written;
}

static bool guest_stream_is_done(const struct guest_stream *stream)
{
	return stream->ended && (!guest_stream_pending(stream) || stream->broken);
}

static struct error *guest_stream_read(struct guest_stream *stream,
				       bool *moved_ret)
{
	char data[65536];
	ssize_t n = read(stream->from_fd, data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return NULL;
	// How a socket whose other side died, and a pseudoterminal whose user
	// has gone, end.
	if (n < 0 && errno != ECONNRESET && errno != EIO)
		return error_create_os(errno, "read a stream");
	if (n <= 0) {
		stream->ended = true;
		return NULL;
	}
	*moved_ret = true;
	if ((uint64_t)n > stream->allowed_bytes) {
		stream->flooded = true;
		n = (ssize_t)stream->allowed_bytes;
	}
	stream->allowed_bytes -= (uint64_t)n;
	if (!stream->broken)
		string_builder_append_n(&stream->data, data, (size_t)n);
	return NULL;
}

/** Forget what has been written, now and then. */
static void guest_stream_compact(struct guest_stream *stream)
{
	struct string_builder *data = &stream->data;

	if (2 * stream->written < data->length)
		return;
	data->length -= stream->written;
	memmove(data->text, data->text + stream->written, data->length);
	stream->written = 0;
}

static struct error *guest_stream_write(struct guest_stream *stream,
					bool *moved_ret)
{
	const char *data = stream->data.text + stream->written;
	size_t size = guest_stream_pending(stream);

	if (size > stream->chunk_bytes)
		size = stream->chunk_bytes;

	// Asked first as if it were a socket, which must not block and must not
	// raise SIGPIPE.
	ssize_t n = send(stream->to_fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK)
		n = write(stream->to_fd, data, size);
	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return NULL;
		if (errno != EPIPE && errno != ECONNRESET && errno != EIO)
			return error_create_os(errno, "write a stream");
		stream->broken = true;
		stream->written = stream->data.length;
		return NULL;
	}
	*moved_ret |= n > 0;
	stream->written += (size_t)n;
	guest_stream_compact(stream);
	return NULL;
}

void guest_streams_init(struct guest_streams *streams,
			const struct guest_config *config, const int *port_fds)
{
	// On a terminal, stderr is where stdout is.
	const int input = config->interactive ? PORT_TERMINAL : PORT_STDIN;
	const int output = config->interactive ? PORT_TERMINAL : PORT_STDOUT;
	const struct {
		int port;
		int fd;
	} rows[GUEST_STREAM_COUNT] = {
		[GUEST_STREAM_CONTROL] = { PORT_CONTROL, -1 },
		[GUEST_STREAM_STDIN] = { input, config->stdin_fd },
		[GUEST_STREAM_STDOUT] = { output, config->stdout_fd },
		[GUEST_STREAM_STDERR] = { PORT_STDERR, config->stderr_fd },
	};

	*streams = (struct guest_streams){ .interactive = config->interactive };
	for (int i = 0; i < GUEST_STREAM_COUNT; i++) {
		struct guest_stream *stream = &streams->items[i];
		int port_fd = port_fds[rows[i].port];

		if (port_fd < 0)
			guest_stream_deinit(stream);
		else if (i <= GUEST_STREAM_STDIN)
			guest_stream_init(stream, rows[i].fd, port_fd,
					  GUEST_INPUT_LIMIT_BYTES);
		else
			guest_stream_init(stream, port_fd, rows[i].fd,
					  GUEST_OUTPUT_LIMIT_BYTES);
		if (i > GUEST_STREAM_STDIN && config->output_limit_bytes)
			stream->allowed_bytes = config->output_limit_bytes;
	}
}

void guest_streams_deinit(struct guest_streams *streams)
{
	for (int i = 0; i < GUEST_STREAM_COUNT; i++)
		guest_stream_deinit(&streams->items[i]);
}

void guest_streams_prepare(const struct guest_streams *streams,
			   struct pollfd poll_ret[static GUEST_STREAM_POLL_COUNT])
{
	for (int i = 0; i < GUEST_STREAM_COUNT; i++) {
		const struct guest_stream *stream = &streams->items[i];
		size_t pending = guest_stream_pending(stream);
		bool reads = !stream->ended && pending < stream->limit_bytes;
		bool writes = pending && !stream->broken;

		*poll_ret++ = (struct pollfd){ reads ? stream->from_fd : -1,
					       POLLIN, 0 };
		*poll_ret++ = (struct pollfd){ writes ? stream->to_fd : -1,
					       POLLOUT, 0 };
	}
}

/** Read from stdin, and look at what came. */
static struct error *read_input(struct guest_streams *streams, bool *moved_ret)
{
	struct error *err;
	struct guest_stream *input = &streams->items[GUEST_STREAM_STDIN];
	size_t before = input->data.length;

	err = guest_stream_read(input, moved_ret);
	if (err || !streams->interactive)
		return err;
	for (size_t i = before; i < input->data.length; i++) {
		streams->escapes = input->data.text[i] == GUEST_ESCAPE
					   ? streams->escapes + 1
					   : 0;
		if (streams->escapes >= GUEST_ESCAPE_COUNT)
			return error_create(ERROR_CANCELLED, "ended by the user");
	}
	return NULL;
}

/** Pass the end of stdin on. */
static void shut_input(struct guest_streams *streams)
{
	struct guest_stream *input = &streams->items[GUEST_STREAM_STDIN];

	if (input->to_fd < 0 || !guest_stream_is_done(input))
		return;
	// Not close(): QEMU would drop what it has not read yet.
	shutdown(input->to_fd, SHUT_WR);
	input->to_fd = -1;
}

struct error *
guest_streams_move(struct guest_streams *streams,
		   const struct pollfd polled[static GUEST_STREAM_POLL_COUNT],
		   bool *moved_ret)
{
	for (int i = 0; i < GUEST_STREAM_COUNT; i++) {
		struct error *err = NULL;
		struct guest_stream *stream = &streams->items[i];
		const struct pollfd *source = &polled[2 * i];
		const struct pollfd *destination = source + 1;

		if (source->revents)
			err = i == GUEST_STREAM_STDIN
				      ? read_input(streams, moved_ret)
				      : guest_stream_read(stream, moved_ret);
		if (!err && destination->revents)
			err = guest_stream_write(stream, moved_ret);
		if (err)
			return err;
	}
	shut_input(streams);
	return NULL;
}

void guest_streams_say(struct guest_streams *streams, const char *text)
{
	struct guest_stream *control = &streams->items[GUEST_STREAM_CONTROL];

	if (guest_stream_pending(control) < control->limit_bytes)
		string_builder_append(&control->data, text);
}

struct error *guest_streams_collect(struct guest_streams *streams)
{
	guest_stream_deinit(&streams->items[GUEST_STREAM_STDIN]);
	for (int i = GUEST_STREAM_STDOUT; i < GUEST_STREAM_COUNT; i++) {
		struct guest_stream *stream = &streams->items[i];

		bool moved = true;

		// One that still writes does not keep us for ever.
		for (size_t reads = 0;
		     moved && !stream->ended && reads < COLLECT_READS_MAX;
		     reads++) {
			struct error *err;

			moved = false;
			err = guest_stream_read(stream, &moved);
			if (err)
				return err;
		}
		stream->ended = true;
	}
	return NULL;
}

void guest_streams_discard(struct guest_streams *streams)
{
	for (int i = GUEST_STREAM_STDOUT; i < GUEST_STREAM_COUNT; i++) {
		struct guest_stream *stream = &streams->items[i];

		stream->ended = stream->from_fd < 0;
		stream->allowed_bytes = UINT64_MAX;
		stream->broken = true;
	}
}

bool guest_streams_is_flushed(const struct guest_streams *streams)
{
	return guest_stream_is_done(&streams->items[GUEST_STREAM_STDOUT]) &&
	       guest_stream_is_done(&streams->items[GUEST_STREAM_STDERR]);
}

bool guest_streams_is_full(const struct guest_streams *streams)
{
	for (int i = GUEST_STREAM_STDOUT; i < GUEST_STREAM_COUNT; i++) {
		if (guest_stream_pending(&streams->items[i]) >=
		    GUEST_OUTPUT_LIMIT_BYTES)
			return true;
	}
	return false;
}

bool guest_streams_is_flooded(const struct guest_streams *streams)
{
	return streams->items[GUEST_STREAM_STDOUT].flooded ||
	       streams->items[GUEST_STREAM_STDERR].flooded;
}

bool guest_streams_is_broken(const struct guest_streams *streams)
{
	return streams->items[GUEST_STREAM_STDOUT].broken;
}
