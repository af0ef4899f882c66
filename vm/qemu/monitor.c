// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/system.h"

enum {
	/** QEMU's answers are short. */
	LINE_LIMIT = 1 << 20,
};

/** One that waits, or whose answer does. */
struct monitor_command {
	unsigned int id;
	char *command;
	char *arguments;
	int fd;
	monitor_answer *answer;
	void *arg;
};

static void monitor_command_deinit(struct monitor_command *command)
{
	free(command->command);
	free(command->arguments);
	cleanup_close(&command->fd);
}

/** @param[in] err Consumed. */
static void finish(struct monitor_command *command, struct error *err)
{
	if (command->answer)
		command->answer(command->arg, err);
	else
		error_destroy(err);
	monitor_command_deinit(command);
}

void monitor_deinit(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->queue.count; i++)
		monitor_command_deinit(&monitor->queue.items[i]);
	free(monitor->queue.items);
	string_builder_deinit(&monitor->line);
}

/** @return Its number; 0 if QEMU does not take it, at once and whole. */
static unsigned int say(struct monitor *monitor, const char *command,
			const char *arguments, int fd)
{
	_cleanup_free_ char *text =
		string_format("{\"execute\": \"%s\", \"arguments\": {%s}, \"id\": %u}\n",
			      command, arguments, ++monitor->last_id);
	size_t size = strlen(text);

	return send_with_fds(monitor->fd, text, size, &fd, fd >= 0,
			     MSG_DONTWAIT) == (ssize_t)size
		       ? monitor->last_id
		       : 0;
}

void monitor_quit(struct monitor *monitor)
{
	say(monitor, "quit", "", -1);
}

static struct monitor_command take_first(struct monitor *monitor)
{
	struct monitor_command first = monitor->queue.items[0];

	monitor->queue.count--;
	memmove(monitor->queue.items, monitor->queue.items + 1,
		monitor->queue.count * sizeof(first));
	return first;
}

/** Say what comes first, if QEMU is to be asked anything. */
static void send_first(struct monitor *monitor)
{
	while (monitor->queue.count) {
		struct monitor_command *first = &monitor->queue.items[0];

		first->id = say(monitor, first->command, first->arguments,
				first->fd);
		if (first->id)
			return;

		struct monitor_command failed = take_first(monitor);

		finish(&failed,
		       error_create(ERROR_RETRY, "QEMU does not take '%s'",
				    failed.command));
	}
}

void monitor_ask(struct monitor *monitor, const char *command,
		 const char *arguments, int fd, monitor_answer *answer, void *arg)
{
	vector_add(&monitor->queue) = (struct monitor_command){
		.command = string_copy(command),
		.arguments = string_copy(arguments),
		.fd = fd,
		.answer = answer,
		.arg = arg,
	};
	if (monitor->queue.count == 1)
		send_first(monitor);
}

void monitor_start(struct monitor *monitor, int fd)
{
	monitor->fd = fd;
	monitor_ask(monitor, "qmp_capabilities", "", -1, NULL, NULL);
	// QEMU 6 and later know it.
	monitor_ask(monitor, "set-action", "\"shutdown\": \"pause\"", -1, NULL,
		    NULL);
}

void monitor_continue(struct monitor *monitor)
{
	monitor_ask(monitor, "cont", "", -1, NULL, NULL);
}

static void take_line(struct monitor *monitor)
{
	json_t *root =
		json_loadb(monitor->line.text, monitor->line.length, 0, NULL);
	const char *event = json_string_value(json_object_get(root, "event"));
	json_t *error = json_object_get(root, "error");
	const char *refusal = json_string_value(json_object_get(error, "desc"));
	json_t *id = json_object_get(root, "id");
	int major, minor, micro, guest = 0;

	monitor->line.length = 0;
	if (json_unpack(root, "{s:{s:{s:{s:i, s:i, s:i}}}}", "QMP", "version",
			"qemu", "major", &major, "minor", &minor, "micro",
			&micro) == 0)
		snprintf(monitor->version, sizeof(monitor->version), "%d.%d.%d",
			 major, minor, micro);
	// By itself, not since we have asked.
	if (event && strcmp(event, "SHUTDOWN") == 0)
		monitor->is_halted |= json_unpack(root, "{s:{s:b}}", "data",
						  "guest", &guest) == 0 &&
				      guest;
	if (id && monitor->queue.count &&
	    json_integer_value(id) == monitor->queue.items[0].id) {
		struct monitor_command done = take_first(monitor);

		// Before the answer, which may lead to more.
		send_first(monitor);
		finish(&done, error ? error_create(ERROR_OTHER, "QEMU: %s",
						   refusal ? refusal : "error")
				    : NULL);
	}
	json_decref(root);
}

bool monitor_read(struct monitor *monitor)
{
	char data[4096];
	ssize_t n = read(monitor->fd, data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0 || monitor->line.length > LINE_LIMIT) {
		monitor->fd = -1;
		return false;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (data[i] == '\n' && monitor->line.length)
			take_line(monitor);
		else if (data[i] != '\n')
			string_builder_append_char(&monitor->line, data[i]);
	}
	return true;
}

/** An answer that is waited for. */
struct wait {
	bool has_come;
	struct error *refusal;
};

static void take_answer(void *arg, struct error *err)
{
	struct wait *wait = arg;

	wait->has_come = true;
	wait->refusal = err;
}

/** @return Why there is nothing more to wait for. */
static struct error *wait_some(struct monitor *monitor, uint64_t deadline_ms)
{
	struct error *err = interrupt_check();
	uint64_t now = monotonic_ms();

	if (err)
		return err;
	if (monitor->fd < 0)
		return error_create(ERROR_RETRY, "QEMU has ended");
	if (deadline_ms && now >= deadline_ms)
		return error_create(ERROR_RETRY, "QEMU takes too long to answer");
	struct pollfd fds[] = { { monitor->fd, POLLIN, 0 },
				{ interrupt_fd(), POLLIN, 0 } };
	int wait_ms = deadline_ms ? (int)MIN(deadline_ms - now, INT_MAX) : -1;

	if (poll(fds, array_size(fds), wait_ms) > 0 && fds[0].revents)
		monitor_read(monitor);
	return NULL;
}

/** Have a command executed. @return ERROR_OTHER if QEMU refuses. */
static struct error *execute(struct monitor *monitor, const char *command,
			     const char *arguments, int fd, uint64_t deadline_ms)
{
	struct error *err = NULL;
	struct wait wait = { 0 };

	monitor_ask(monitor, command, arguments, fd, take_answer, &wait);
	while (!wait.has_come && !err)
		err = wait_some(monitor, deadline_ms);
	for (size_t i = 0; i < monitor->queue.count; i++) {
		if (monitor->queue.items[i].arg == &wait)
			monitor->queue.items[i].answer = NULL;
	}
	return err ? err : wait.refusal;
}

struct error *monitor_dump(struct monitor *monitor, int fd, bool takes_elf,
			   uint64_t deadline_ms, bool *is_flat_ret)
{
	static const char *const formats[] = { "kdump-zlib", "elf" };
	struct error *err;

	err = execute(monitor, "stop", "", -1, deadline_ms);
	for (size_t i = 0; !err; i++) {
		_cleanup_free_ char *arguments = string_format(
			"\"paging\": false, \"protocol\": \"fd:dump\", \"format\": \"%s\"",
			formats[i]);

		*is_flat_ret = i == 0;
		err = execute(monitor, "getfd", "\"fdname\": \"dump\"",
			      fcntl(fd, F_DUPFD_CLOEXEC, 0), deadline_ms);
		if (err)
			break;
		err = execute(monitor, "dump-guest-memory", arguments, -1,
			      deadline_ms);
		// What was begun is no matter of the format.
		if (!error_is(err, ERROR_OTHER) || i == takes_elf ||
		    lseek(fd, 0, SEEK_END) > 0)
			break;
		error_destroy(take_ptr(err));
	}
	return err;
}
