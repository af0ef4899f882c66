// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_streams.h"

#include <string.h>
#include <sys/socket.h>

#include "common/base/error.h"
#include "vm/guest/guest.h"
#include "vm/guest/guest_link.h"
#include "vm/guest/terminal.h"

enum {
	/** How much of a stream waits in memory when its reader is slow. */
	INPUT_LIMIT_BYTES = 1 << 20,
	/**
	 * The guest's kernel spins with interrupts off while we do not take
	 * what it writes, so we take a lot.
	 */
	OUTPUT_LIMIT_BYTES = 64 << 20,
};

void guest_streams_init(struct guest_streams *streams,
			const struct guest_config *config,
			const struct guest_link *link, struct terminal *terminal)
{
	const int *ports = link->port_fds;
	// On a terminal, stderr is where stdout is.
	const struct {
		enum guest_port port;
		int fd;
	} rows[GUEST_STREAM_COUNT] = {
		[GUEST_STREAM_CONTROL] = { PORT_CONTROL, -1 },
		[GUEST_STREAM_STDIN] = { config->interactive ? PORT_TERMINAL
							     : PORT_STDIN,
					 config->stdin_fd },
		[GUEST_STREAM_STDOUT] = { config->interactive ? PORT_TERMINAL
							      : PORT_STDOUT,
					  config->stdout_fd },
		[GUEST_STREAM_STDERR] = { PORT_STDERR, config->stderr_fd },
	};

	streams->terminal = config->interactive ? terminal : NULL;
	streams->input_shut = false;
	for (int i = 0; i < GUEST_STREAM_COUNT; i++) {
		struct relay *relay = &streams->relays[i];
		int port = ports[rows[i].port];

		*relay = (struct relay)RELAY_INIT;
		if (port < 0)
			continue;
		if (i <= GUEST_STREAM_STDIN)
			relay_init(relay, rows[i].fd, port, INPUT_LIMIT_BYTES);
		else
			relay_init(relay, port, rows[i].fd, OUTPUT_LIMIT_BYTES);
	}
}

void guest_streams_deinit(struct guest_streams *streams)
{
	for (int i = 0; i < GUEST_STREAM_COUNT; i++)
		relay_deinit(&streams->relays[i]);
}

void guest_streams_prepare(const struct guest_streams *streams,
			   struct pollfd poll_ret[static GUEST_STREAM_POLL_COUNT])
{
	for (int i = 0; i < GUEST_STREAM_COUNT; i++)
		relay_prepare(&streams->relays[i], poll_ret + 2 * (size_t)i);
}

/** After stdin was moved: look at what came, and pass its end on. */
static struct error *watch_input(struct guest_streams *streams, size_t before)
{
	struct relay *relay = &streams->relays[GUEST_STREAM_STDIN];

	if (streams->terminal && relay->length > before &&
	    terminal_escaped(streams->terminal,
			     relay->data + relay->start + before,
			     relay->length - before))
		return error_create(ERROR_CANCELLED, "ended by the user");
	return NULL;
}

static void shut_input(struct guest_streams *streams)
{
	const struct relay *relay = &streams->relays[GUEST_STREAM_STDIN];

	if (streams->input_shut || relay->to_fd < 0 || !relay_is_done(relay))
		return;
	// Not close(): QEMU would drop what it has not read yet.
	shutdown(relay->to_fd, SHUT_WR);
	streams->input_shut = true;
}

static struct error *move_one(struct guest_streams *streams, int i,
			      const struct pollfd polled[static 2],
			      bool *moved_ret)
{
	struct error *err;
	struct relay *relay = &streams->relays[i];
	size_t before = relay->length;
	const struct pollfd source[2] = { polled[0], { .fd = -1 } };
	const struct pollfd destination[2] = { { .fd = -1 }, polled[1] };

	err = relay_move(relay, source, moved_ret);
	if (!err && i == GUEST_STREAM_STDIN)
		err = watch_input(streams, before);
	if (err)
		return err;
	return relay_move(relay, destination, moved_ret);
}

struct error *
guest_streams_move(struct guest_streams *streams,
		   const struct pollfd polled[static GUEST_STREAM_POLL_COUNT],
		   bool *moved_ret)
{
	for (int i = 0; i < GUEST_STREAM_COUNT; i++) {
		struct error *err;

		err = move_one(streams, i, polled + 2 * (size_t)i, moved_ret);
		if (err)
			return err;
	}
	shut_input(streams);
	return NULL;
}

void guest_streams_say(struct guest_streams *streams, const char *text)
{
	relay_feed(&streams->relays[GUEST_STREAM_CONTROL], text, strlen(text));
}

struct error *guest_streams_collect(struct guest_streams *streams)
{
	for (int i = 0; i < GUEST_STREAM_COUNT; i++) {
		struct relay *relay = &streams->relays[i];
		struct error *err = NULL;

		if (i <= GUEST_STREAM_STDIN)
			relay_deinit(relay);
		else
			err = relay_collect(relay);
		if (err)
			return err;
		relay->ended = true;
	}
	return NULL;
}

bool guest_streams_is_flushed(const struct guest_streams *streams)
{
	return relay_is_done(&streams->relays[GUEST_STREAM_STDOUT]) &&
	       relay_is_done(&streams->relays[GUEST_STREAM_STDERR]);
}

bool guest_streams_is_full(const struct guest_streams *streams)
{
	for (int i = GUEST_STREAM_STDOUT; i < GUEST_STREAM_COUNT; i++) {
		if (streams->relays[i].length >= OUTPUT_LIMIT_BYTES)
			return true;
	}
	return false;
}

bool guest_streams_is_broken(const struct guest_streams *streams)
{
	return streams->relays[GUEST_STREAM_STDOUT].broken;
}
