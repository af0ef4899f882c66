// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_join.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "vm/guest/guest.h"
#include "vm/guest/guest_internal.h"
#include "vm/guest/guest_names.h"
#include "vm/guest/guest_sessions.h"
#include "vm/guest/guest_streams.h"

enum {
	/** For what a guest's process answers at once, unless it is stopped. */
	ANSWER_S = 5,
	/** More than LIFECYCLE_QUIT_MS. */
	STOP_MS = 20000,
};

/* Which there are. */

static void guest_info_deinit(struct guest_info *info)
{
	free(info->name);
	free(info->release);
	free(info->arch);
	free(info->state);
	free(info->outcome);
	string_list_deinit(&info->command);
}

void guest_info_list_deinit(struct guest_info_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		guest_info_deinit(&list->items[i]);
	free(list->items);
	*list = (struct guest_info_list){ 0 };
}

static struct error *read_info(const char *name, struct guest_info *ret)
{
	static const struct value_row rows[] = {
		VALUE_REQUIRED("name", value_copy, struct guest_info, name),
		VALUE_NUMBER("pid", 0, INT32_MAX, struct guest_info, pid),
		VALUE_REQUIRED("release", value_copy, struct guest_info, release),
		VALUE_REQUIRED("arch", value_copy, struct guest_info, arch),
		VALUE_REQUIRED("state", value_copy, struct guest_info, state),
		VALUE_OPTIONAL("outcome", value_copy, struct guest_info, outcome),
		VALUE_OPTIONAL_NUMBER("exit_status", 0, 255, struct guest_info,
				      exit_status),
		VALUE_NUMBER("age_ms", 0, INT64_MAX, struct guest_info, age_ms),
		VALUE_REQUIRED("command", value_strings, struct guest_info,
			       command),
	};
	const struct timeval limit = { .tv_sec = ANSWER_S };
	struct error *err;

	_cleanup_close_ int fd = -1;
	err = guest_name_connect(name, &fd);
	if (err)
		return err;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	err = guest_message_send(fd, "info", strlen("info"), NULL, 0);
	if (err)
		return err;
	_cleanup_free_ char *data = memory_allocate(1, GUEST_MESSAGE_BYTES + 1);
	ssize_t n = guest_message_receive(fd, data, NULL);
	if (n <= 0)
		return error_create(ERROR_NOT_FOUND,
				    "the guest '%s' does not answer", name);
	_cleanup_value_ struct value document = { 0 };
	err = value_parse(data, (size_t)n, name, ERROR_OTHER, &document);
	return err ? err : value_read(&document, rows, array_size(rows), ret);
}

static int compare_ages(const void *a, const void *b)
{
	const struct guest_info *one = a, *other = b;

	return (one->age_ms > other->age_ms) - (one->age_ms < other->age_ms);
}

struct error *guest_info_list_load(struct guest_info_list *ret)
{
	_cleanup_string_list_ struct string_list names = { 0 };

	guest_name_list(&names);
	for (size_t i = 0; i < names.count; i++) {
		struct guest_info info = { 0 };
		struct error *err = read_info(names.items[i], &info);

		if (!err) {
			vector_add(ret) = info;
			continue;
		}
		// It may have ended just now.
		log_debug("%s: %s", names.items[i], error_message(err));
		guest_info_deinit(&info);
		error_destroy(err);
		err = interrupt_check();
		if (err)
			return err;
	}
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_ages);
	return NULL;
}

/* A command in one. */

struct visit {
	const struct guest_config *config;
	/** Connected to the guest's process. */
	int fd;
	/** Our ends of the ports; -1 for none. */
	int port_fds[PORT_COUNT];
	struct guest_streams streams;
	struct terminal terminal;
	/** The guest has the ports: not before, streams may be sent, or closed. */
	bool is_ready;
	/** The command has ended. */
	bool has_status;
	int status;
	/** There is no more to come than what is to be passed on. */
	bool is_over;
	/** What keeps us from going on. */
	struct error *error;
};

static void visit_deinit(struct visit *visit)
{
	terminal_restore(&visit->terminal);
	guest_streams_deinit(&visit->streams);
	for (size_t i = 0; i < array_size(visit->port_fds); i++)
		cleanup_close(&visit->port_fds[i]);
	cleanup_close(&visit->fd);
	error_destroy(visit->error);
}

#define _cleanup_visit_ _cleanup_(visit_deinit)

/**
 * Make the ports that the command's streams need.
 *
 * @param[out] fds_ret QEMU's ends, in the order of a request.
 */
static struct error *make_ports(struct visit *visit,
				int fds_ret[GUEST_MESSAGE_FDS], size_t *count_ret)
{
	unsigned int ports = guest_ports(visit->config) & ~(1U << PORT_CONTROL);

	for (int i = 0; i < PORT_COUNT; i++) {
		int fds[2];

		if (!(ports & 1U << i))
			continue;
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
			return error_create_os(errno, "socketpair");
		fcntl(fds[0], F_SETFL, O_NONBLOCK);
		visit->port_fds[i] = fds[0];
		fds_ret[(*count_ret)++] = fds[1];
	}
	return NULL;
}

static struct error *send_request(struct visit *visit, const int *fds,
				  size_t fd_count)
{
	const struct guest_config *config = visit->config;
	const struct winsize size = terminal_size(config->stdout_fd);
	_cleanup_free_ char *rows = string_format("%u", size.ws_row);
	_cleanup_free_ char *columns = string_format("%u", size.ws_col);
	_cleanup_free_ char *here = realpath(".", NULL);
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_session_request_ struct session_request request = {
		.user = config->user,
		.directory = config->directory,
		.here = here,
	};

	if (config->interactive) {
		request.rows = rows;
		request.columns = columns;
	} else {
		request.has_stdin = config->stdin_fd >= 0 ? "1" : NULL;
		request.has_stdout = config->stdout_fd >= 0 ? "1" : NULL;
		request.has_stderr = config->stderr_fd < 0 ? NULL
				     : config->stderr_fd == config->stdout_fd
					     ? "stdout"
					     : "1";
	}
	string_list_add_all(&request.environment, &config->environment);
	for (char *const *word = config->command; *word; word++)
		string_list_add(&request.command, *word);
	session_request_format(&request, &sb);
	return guest_message_send(visit->fd, sb.text, sb.length, fds, fd_count);
}

/** @param[in] text Of the guest's process, which is as we are. */
static void take_answer(struct visit *visit, const char *text)
{
	unsigned int status;

	if (strncmp(text, "error ", 6) == 0) {
		error_keep_first(&visit->error,
				 error_create(ERROR_OTHER, "%s", text + 6));
	} else if (sscanf(text, "exit %3u", &status) == 1) {
		visit->has_status = true;
		visit->status = (int)status;
	} else if (strcmp(text, "ready") == 0) {
		visit->is_ready = true;
	} else if (strcmp(text, "done") == 0) {
		visit->is_over = true;
	}
}

static void receive(struct visit *visit)
{
	_cleanup_free_ char *data = memory_allocate(1, GUEST_MESSAGE_BYTES + 1);
	ssize_t n = guest_message_receive(visit->fd, data, NULL);

	if (n > 0)
		take_answer(visit, data);
	// The guest has ended.
	visit->is_over |= n == 0;
	visit->is_ready |= visit->is_over;
	if (visit->is_over && !visit->error)
		error_keep_first(&visit->error,
				 guest_streams_collect(&visit->streams));
}

static void take_terminal_signal(struct visit *visit)
{
	bool resized = false;

	error_keep_first(&visit->error,
			 terminal_signal(&visit->terminal, &resized));
	if (!resized)
		return;
	struct winsize size = terminal_size(visit->config->stdout_fd);
	_cleanup_free_ char *text =
		string_format("resize %u %u", size.ws_row, size.ws_col);
	// A guest that has ended is seen elsewhere.
	error_destroy(guest_message_send(visit->fd, text, strlen(text), NULL, 0));
}

static void step(struct visit *visit)
{
	struct pollfd fds[3 + GUEST_STREAM_POLL_COUNT] = {
		{ interrupt_fd(), POLLIN, 0 },
		{ visit->terminal.signal_fd, POLLIN, 0 },
		{ visit->is_over ? -1 : visit->fd, POLLIN, 0 },
	};
	bool moved = false;

	nfds_t count = array_size(fds) -
		       (visit->is_ready ? 0 : GUEST_STREAM_POLL_COUNT);
	guest_streams_prepare(&visit->streams, fds + 3);
	if (poll(fds, count, -1) < 0) {
		if (errno != EINTR)
			error_keep_first(&visit->error,
					 error_create_os(errno, "poll"));
		return;
	}
	// First: what follows may be the end of the streams.
	if (visit->is_ready)
		error_keep_first(&visit->error,
				 guest_streams_move(&visit->streams, fds + 3,
						    &moved));
	if (fds[0].revents)
		error_keep_first(&visit->error, interrupt_check());
	if (fds[1].revents)
		take_terminal_signal(visit);
	if (fds[2].revents)
		receive(visit);
}

/** Pass the streams on until there is nothing more. */
static void follow(struct visit *visit)
{
	guest_streams_init(&visit->streams, visit->config, visit->port_fds);
	if (visit->config->interactive)
		error_keep_first(&visit->error,
				 terminal_take(&visit->terminal,
					       visit->config->stdin_fd));
	while (!visit->error &&
	       !(visit->is_over && guest_streams_is_flushed(&visit->streams)) &&
	       !guest_streams_is_broken(&visit->streams))
		step(visit);
	terminal_restore(&visit->terminal);
}

struct error *guest_join(const char *name, const struct guest_config *config,
			 int *status_ret)
{
	struct error *err;

	_cleanup_visit_ struct visit visit = {
		.config = config,
		.fd = -1,
		.port_fds = { [0 ... PORT_COUNT - 1] = -1 },
		.terminal = TERMINAL_INIT,
	};
	int fds[GUEST_MESSAGE_FDS];
	size_t count = 0;

	err = guest_name_connect(name, &visit.fd);
	if (!err)
		err = make_ports(&visit, fds, &count);
	if (!err)
		err = send_request(&visit, fds, count);
	// QEMU's are not ours: otherwise nothing would tell that it has ended.
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	if (err)
		return err;
	follow(&visit);
	if (visit.error)
		return take_ptr(visit.error);
	*status_ret = visit.status;
	if (visit.has_status)
		return NULL;
	if (!visit.is_over) {
		// As in a pipeline.
		*status_ret = 128 + SIGPIPE;
		return NULL;
	}
	log_error("the guest '%s' has ended before the command", name);
	*status_ret = RUN_STATUS_LOST;
	return NULL;
}

struct error *guest_stop(const char *name)
{
	struct error *err;

	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);
	_cleanup_close_ int fd = -1;
	err = guest_name_connect(name, &fd);
	if (err)
		return err;
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	_cleanup_close_ int process = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	err = guest_message_send(fd, "stop", strlen("stop"), NULL, 0);
	if (err)
		return err;
	struct pollfd fds[] = {
		// In another namespace of processes, the connection must do.
		{ process >= 0 ? process : fd, POLLIN, 0 },
		{ interrupt_fd(), POLLIN, 0 },
	};
	int ready = poll(fds, array_size(fds), STOP_MS);
	err = interrupt_check();
	if (!err && ready == 0)
		err = error_create(ERROR_OTHER,
				   "the guest '%s' does not end; its vmtest-vm is process %d",
				   name, (int)peer.pid);
	return err;
}
