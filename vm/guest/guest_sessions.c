// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_sessions.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "vm/guest/guest_streams.h"
#include "vm/kernel/kernel.h"

static const char *const state_names[] = {
	[LIFECYCLE_BOOT] = "booting",  [LIFECYCLE_COMMAND] = "running",
	[LIFECYCLE_CRASH] = "crashed", [LIFECYCLE_DRAIN] = "ending",
	[LIFECYCLE_DUMP] = "ending",   [LIFECYCLE_FLUSH] = "ending",
	[LIFECYCLE_KEPT] = "kept",     [LIFECYCLE_QUIT] = "ending",
	[LIFECYCLE_ENDED] = "ending",
};

struct error *sessions_open(struct sessions *ret,
			    const struct guest_config *config,
			    const struct guest_plan *plan,
			    const struct lifecycle *lifecycle,
			    struct guest_streams *streams)
{
	struct error *err;

	*ret = (struct sessions){
		.config = config,
		.plan = plan,
		.lifecycle = lifecycle,
		.streams = streams,
		.listen_fd = -1,
		.name = config->name ? string_copy(config->name)
				     : string_format("%ld", (long)getpid()),
	};
	for (size_t i = 0; i < array_size(ret->items); i++)
		ret->items[i] = (struct session){ .sessions = ret,
						  .fd = -1,
						  .port_fds = { -1, -1, -1 } };
	err = guest_name_listen(ret->name, &ret->listen_fd);
	if (error_is(err, ERROR_EXISTS) && config->name) {
		error_destroy(err);
		return error_create(ERROR_USAGE,
				    "--name %s: another guest runs under it; see vmtest-vm ls",
				    ret->name);
	}
	// Who has not asked for a name need not be found.
	if (err && !config->name) {
		log_debug("nobody can come in: %s", error_message(err));
		error_destroy(take_ptr(err));
	}
	return err;
}

/** Take the session's ports from QEMU. */
static void unplug(struct session *session)
{
	struct monitor *monitor = session->sessions->monitor;

	for (unsigned int i = 0; i < array_size(session->plugged); i++) {
		_cleanup_free_ char *id =
			string_format("session%u-%u", session->serial, i);

		cleanup_close(&session->port_fds[i]);
		session->port_fds[i] = -1;
		if (!session->plugged[i])
			continue;
		session->plugged[i] = false;
		_cleanup_free_ char *arguments =
			string_format("\"id\": \"%s\"", id);
		monitor_ask(monitor, "device_del", arguments, -1, NULL, NULL);
		monitor_ask(monitor, "chardev-remove", arguments, -1, NULL, NULL);
	}
}

static void session_reset(struct session *session)
{
	struct sessions *sessions = session->sessions;

	if (sessions->busy == session)
		sessions->busy = NULL;
	unplug(session);
	cleanup_close(&session->fd);
	free(session->script);
	error_destroy(session->error);
	*session = (struct session){ .sessions = sessions,
				     .fd = -1,
				     .port_fds = { -1, -1, -1 } };
}

void sessions_deinit(struct sessions *sessions)
{
	// Not by unplug(): QEMU ends.
	for (size_t i = 0; sessions->name && i < array_size(sessions->items);
	     i++) {
		memset(sessions->items[i].plugged, 0,
		       sizeof(sessions->items[i].plugged));
		session_reset(&sessions->items[i]);
	}
	if (sessions->name)
		cleanup_close(&sessions->listen_fd);
	free(sessions->name);
	*sessions = (struct sessions){ .listen_fd = -1 };
}

/** @param[in] text An answer. One who does not take it will not be waited for. */
static void answer(const struct session *session, const char *text)
{
	if (session->fd >= 0)
		error_destroy(guest_message_send(session->fd, text,
						 strlen(text), NULL, 0));
}

/** Say why there is nothing to be had, and let go. @param[in] err Consumed. */
static void refuse(struct session *session, struct error *err)
{
	_cleanup_free_ char *text = string_format("error %s", error_message(err));

	error_destroy(err);
	answer(session, text);
	session_reset(session);
}

/** Have the guest end a session's command, or not begin with it. */
static void say_leave(const struct session *session)
{
	_cleanup_free_ char *line = string_format("leave %u\n", session->first);

	guest_streams_say(session->sessions->streams, line);
}

/** QEMU has all ports of a session, or some were refused. */
static void start(struct session *session)
{
	if (session->error) {
		refuse(session, take_ptr(session->error));
		return;
	}
	guest_streams_say(session->sessions->streams, session->script);
	if (session->fd < 0)
		say_leave(session);
}

static void take_plugged(void *arg, struct error *err)
{
	struct session *session = arg;

	error_keep_first(&session->error, err);
	if (--session->pending == 0)
		start(session);
}

_printf_(4, 5) static void ask(struct session *session, const char *command,
			       int fd, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	_cleanup_free_ char *arguments = string_vformat(format, ap);
	va_end(ap);
	session->pending++;
	monitor_ask(session->sessions->monitor, command, arguments, fd,
		    take_plugged, session);
}

/** Give QEMU its ends, as ports: the descriptor, the host's device, the guest's. */
static void plug(struct session *session)
{
	session->state = SESSION_PLUGS;
	session->sessions->busy = session;
	session->serial = ++session->sessions->serial;
	for (unsigned int i = 0; i < array_size(session->port_fds); i++) {
		_cleanup_free_ char *id =
			string_format("session%u-%u", session->serial, i);

		if (session->port_fds[i] < 0)
			continue;
		session->plugged[i] = true;
		ask(session, "getfd", take_fd(&session->port_fds[i]),
		    "\"fdname\": \"%s\"", id);
		ask(session, "chardev-add", -1,
		    "\"id\": \"%s\", \"backend\": {\"type\": \"socket\", \"data\": {\"server\": false, \"addr\": {\"type\": \"fd\", \"data\": {\"str\": \"%s\"}}}}",
		    id, id);
		ask(session, "device_add", -1,
		    "\"driver\": \"virtserialport\", \"id\": \"%s\", \"chardev\": \"%s\", \"nr\": %u",
		    id, id, session->first + i);
	}
	if (!session->pending)
		start(session);
}

/** @return 0 if there is none. */
static unsigned int find_ports(const struct sessions *sessions)
{
	unsigned int taken = 0;

	for (size_t i = 0; i < array_size(sessions->items); i++) {
		unsigned int first = sessions->items[i].first;

		if (first)
			taken |= 1U << (first - SESSION_FIRST_PORT) /
					       GUEST_MESSAGE_FDS;
	}
	for (unsigned int i = 0; i < SESSION_LIMIT; i++) {
		if (!(taken & 1U << i))
			return SESSION_FIRST_PORT + i * GUEST_MESSAGE_FDS;
	}
	return 0;
}

/** Put each descriptor where its port is, from the front of the list. */
static void place_fds(struct session *session,
		      const struct session_request *request, int *fds)
{
	const bool has[GUEST_MESSAGE_FDS] = {
		request->has_stdin || request->rows,
		request->has_stdout && !request->rows,
		request->has_stderr && !request->rows &&
			strcmp(request->has_stderr, "stdout") != 0,
	};

	for (size_t i = 0; i < GUEST_MESSAGE_FDS; i++) {
		if (has[i])
			session->port_fds[i] = take_fd(fds++);
	}
}

static struct error *admit(struct session *session, const char *text,
			   size_t size, int *fds)
{
	struct error *err;
	struct sessions *sessions = session->sessions;

	_cleanup_session_request_ struct session_request request = { 0 };
	err = session_request_parse(text, size, &request);
	if (err)
		return err;
	if (sessions->lifecycle->state == LIFECYCLE_DRAIN ||
	    sessions->lifecycle->state == LIFECYCLE_QUIT)
		return error_create(ERROR_OTHER, "the guest ends");
	session->first = find_ports(sessions);
	if (!session->first)
		return error_create(ERROR_OTHER,
				    "%d commands run there beside the guest's own, which is all that it takes; wait until one ends",
				    SESSION_LIMIT);
	err = protocol_format_session(sessions->config, sessions->plan, &request,
				      session->first, &session->script);
	if (err)
		return err;
	place_fds(session, &request, fds);
	session->state = SESSION_WAITS;
	return NULL;
}

static json_t *describe(const struct sessions *sessions)
{
	const struct guest_config *config = sessions->config;
	const struct lifecycle *lifecycle = sessions->lifecycle;
	bool is_kept = lifecycle->state == LIFECYCLE_KEPT;
	json_t *command = json_array();

	for (char *const *word = config->command; *word; word++)
		json_array_append_new(command, text_json(*word));
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:o, s:o, s:I, s:o}",
			 "name", sessions->name, "pid", (int)getpid(),
			 "release", config->qemu.kernel->release, "arch",
			 config->qemu.arch->name, "state",
			 state_names[lifecycle->state], "outcome",
			 text_json(is_kept ? run_outcome_name(lifecycle->outcome)
					   : NULL),
			 "exit_status",
			 is_kept && lifecycle->outcome == RUN_EXITED
				 ? json_integer(lifecycle->exit_status)
				 : json_null(),
			 "age_ms",
			 (json_int_t)(monotonic_ms() - lifecycle->start_ms),
			 "command", command);
}

/**
 * Do what one who has just come in asks for.
 *
 * @param[in,out] fds Are -1 when they are taken.
 */
static void take_request(struct session *session, const char *data, size_t size,
			 int *fds)
{
	size_t word = strlen(data) + 1;
	struct error *err = NULL;

	if (strcmp(data, "run") == 0 && word < size) {
		err = admit(session, data + word, size - word, fds);
		if (err)
			refuse(session, err);
		return;
	}
	if (strcmp(data, "info") == 0) {
		_cleanup_free_ char *text =
			json_text(describe(session->sessions), JSON_COMPACT);

		answer(session, text);
	} else if (strcmp(data, "stop") == 0) {
		// The answer is the end of the connection, which is QEMU's, too.
		session->sessions->is_stopped = true;
	} else {
		refuse(session,
		       error_create(ERROR_OTHER,
				    "this guest is of another version of vmtest-vm"));
	}
}

/** Who was connected is gone. */
static void end(struct session *session)
{
	cleanup_close(&session->fd);
	session->fd = -1;
	if (session->state < SESSION_PLUGS)
		session_reset(session);
	else if (session->state == SESSION_RUNS ||
		 (session->state == SESSION_PLUGS && !session->pending))
		say_leave(session);
}

/** Let the ports of one session come or go, of those that go first. */
static void step(struct sessions *sessions)
{
	enum lifecycle_state state = sessions->lifecycle->state;
	bool has_guest = state == LIFECYCLE_COMMAND || state == LIFECYCLE_KEPT;

	for (size_t i = 0; i < array_size(sessions->items); i++) {
		struct session *session = &sessions->items[i];

		if (sessions->busy || session->fd >= 0 ||
		    (session->state != SESSION_RUNS &&
		     session->state != SESSION_DONE))
			continue;
		sessions->busy = session;
		session->state = SESSION_LEAVES;
		unplug(session);
	}
	for (size_t i = 0; i < array_size(sessions->items); i++) {
		if (!sessions->busy && has_guest &&
		    sessions->items[i].state == SESSION_WAITS)
			plug(&sessions->items[i]);
	}
}

static void receive(struct session *session)
{
	_cleanup_free_ char *data = memory_allocate(1, GUEST_MESSAGE_BYTES + 1);
	int fds[GUEST_MESSAGE_FDS];
	unsigned int rows, columns;
	ssize_t n = guest_message_receive(session->fd, data, fds);

	if (n < 0)
		return;
	if (n == 0) {
		end(session);
	} else if (session->state == SESSION_IDLE) {
		take_request(session, data, (size_t)n, fds);
	} else if (session->state == SESSION_RUNS &&
		   sscanf(data, "resize %5u %5u", &rows, &columns) == 2) {
		_cleanup_free_ char *line = string_format("resize %u %u %u\n",
							  rows, columns,
							  session->first);

		guest_streams_say(session->sessions->streams, line);
	}
	for (size_t i = 0; i < GUEST_MESSAGE_FDS; i++)
		cleanup_close(&fds[i]);
}

/** @return NULL if there are too many. */
static struct session *find_free(struct sessions *sessions)
{
	for (size_t i = 0; i < array_size(sessions->items); i++) {
		struct session *session = &sessions->items[i];

		if (session->fd < 0 && session->state == SESSION_IDLE)
			return session;
	}
	return NULL;
}

void sessions_prepare(const struct sessions *sessions,
		      struct pollfd poll_ret[static SESSION_POLL_COUNT])
{
	bool has_room = find_free((struct sessions *)sessions);

	*poll_ret++ = (struct pollfd){ has_room ? sessions->listen_fd : -1,
				       POLLIN, 0 };
	for (size_t i = 0; i < array_size(sessions->items); i++)
		*poll_ret++ = (struct pollfd){ sessions->items[i].fd, POLLIN, 0 };
}

void sessions_move(struct sessions *sessions,
		   const struct pollfd polled[static SESSION_POLL_COUNT])
{
	for (size_t i = 0; i < array_size(sessions->items); i++) {
		struct session *session = &sessions->items[i];

		if (polled[1 + i].revents && session->fd >= 0)
			receive(session);
	}
	step(sessions);
	if (polled[0].revents)
		find_free(sessions)->fd = guest_name_accept(sessions->listen_fd);
}

static void tell(struct session *session, enum lifecycle_event event, int status)
{
	struct sessions *sessions = session->sessions;
	_cleanup_free_ char *text = string_format("exit %d", status);

	if (session->state == SESSION_PLUGS) {
		session->state = SESSION_RUNS;
		sessions->busy = NULL;
		answer(session, "ready");
	}
	if (event == EVENT_SESSION_EXIT)
		answer(session, text);
	if (event == EVENT_SESSION_DONE && session->state == SESSION_RUNS) {
		answer(session, "done");
		session->state = SESSION_DONE;
	}
	if (event == EVENT_SESSION_GONE && session->state == SESSION_LEAVES)
		session_reset(session);
}

void sessions_tell(struct sessions *sessions, enum lifecycle_event event,
		   int status, unsigned int first)
{
	for (size_t i = 0; i < array_size(sessions->items); i++) {
		struct session *session = &sessions->items[i];

		if (session->first == first &&
		    session->state >= SESSION_PLUGS && !session->pending)
			tell(session, event, status);
	}
}

void sessions_drop(struct sessions *sessions)
{
	for (size_t i = 0; i < array_size(sessions->items); i++) {
		if (sessions->items[i].state >= SESSION_PLUGS &&
		    !sessions->items[i].pending)
			session_reset(&sessions->items[i]);
	}
}
