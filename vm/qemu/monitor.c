// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/monitor.h"

#include <errno.h>
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
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"

enum {
	/** QEMU's answers are short. */
	LINE_LIMIT = 1 << 20,
};

/** How QEMU has answered. */
struct answer {
	unsigned int id;
	bool has_come;
	/** What it has refused; NULL if it has not. */
	char *refusal;
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

void monitor_deinit(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->queue.count; i++)
		monitor_command_deinit(&monitor->queue.items[i]);
	free(monitor->queue.items);
	string_builder_deinit(&monitor->line);
}

/** @param[in] fd To be passed on; -1 for none. @return Its number. */
static unsigned int say(struct monitor *monitor, const char *command,
			const char *arguments, int fd)
{
	_cleanup_free_ char *text =
		string_format("{\"execute\": \"%s\", \"arguments\": {%s}, \"id\": %u}\n",
			      command, arguments, ++monitor->last_id);
	union {
		char data[CMSG_SPACE(sizeof(int))];
		struct cmsghdr alignment;
	} control = { 0 };
	struct iovec part = { text, strlen(text) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = control.data;
		message.msg_controllen = sizeof(control.data);

		struct cmsghdr *header = CMSG_FIRSTHDR(&message);

		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	if (sendmsg(monitor->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("the monitor does not take %s", command);
	return monitor->last_id;
}

void monitor_start(struct monitor *monitor, int fd)
{
	monitor->fd = fd;
	say(monitor, "qmp_capabilities", "", -1);
	// QEMU 6 and later know it.
	say(monitor, "set-action", "\"shutdown\": \"pause\"", -1);
}

void monitor_quit(struct monitor *monitor)
{
	say(monitor, "quit", "", -1);
}

void monitor_continue(struct monitor *monitor)
{
	say(monitor, "cont", "", -1);
}

static void send_first(struct monitor *monitor)
{
	struct monitor_command *first = &monitor->queue.items[0];

	first->id = say(monitor, first->command, first->arguments, first->fd);
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

/** @param[in] refusal NULL if it is done. */
static void finish_first(struct monitor *monitor, const char *refusal)
{
	struct monitor_command done = monitor->queue.items[0];
	struct error *err =
		refusal ? error_create(ERROR_OTHER, "QEMU: %s", refusal) : NULL;

	monitor->queue.count--;
	memmove(monitor->queue.items, monitor->queue.items + 1,
		monitor->queue.count * sizeof(done));
	// Before the answer, which may lead to more.
	if (monitor->queue.count)
		send_first(monitor);
	if (done.answer)
		done.answer(done.arg, err);
	else
		error_destroy(err);
	monitor_command_deinit(&done);
}

/** Take a line. @param[in,out] answer That is waited for; may be NULL. */
static void take_line(struct monitor *monitor, struct answer *answer)
{
	json_t *root =
		json_loadb(monitor->line.text, monitor->line.length, 0, NULL);
	const char *event = json_string_value(json_object_get(root, "event"));
	json_t *error = json_object_get(root, "error");
	const char *refusal = json_string_value(json_object_get(error, "desc"));
	json_t *id = json_object_get(root, "id");
	int major, minor, micro, guest = 0;

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
	if (answer && id && json_integer_value(id) == answer->id) {
		answer->has_come = true;
		if (error)
			answer->refusal =
				string_copy(refusal ? refusal : "error");
	}
	monitor->line.length = 0;
	if (id && monitor->queue.count &&
	    json_integer_value(id) == monitor->queue.items[0].id)
		finish_first(monitor, !error	? NULL
				      : refusal ? refusal
						: "error");
	json_decref(root);
}

static bool read_some(struct monitor *monitor, struct answer *answer)
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
			take_line(monitor, answer);
		else if (data[i] != '\n')
			string_builder_append_char(&monitor->line, data[i]);
	}
	return true;
}

bool monitor_read(struct monitor *monitor)
{
	return read_some(monitor, NULL);
}

/**
 * Have a command executed.
 *
 * @param[out] refusal_ret Why QEMU did not; NULL if it did; free().
 */
static struct error *execute(struct monitor *monitor, const char *command,
			     const char *arguments, int fd,
			     uint64_t deadline_ms, char **refusal_ret)
{
	struct answer answer = { .id = say(monitor, command, arguments, fd) };

	while (!answer.has_come) {
		struct error *err = interrupt_check();
		uint64_t now = monotonic_ms();

		if (err)
			return err;
		if (monitor->fd < 0)
			return error_create(ERROR_OTHER, "QEMU has ended");
		if (deadline_ms && now >= deadline_ms)
			return error_create(ERROR_OTHER,
					    "QEMU takes too long to answer");
		struct pollfd fds[] = { { monitor->fd, POLLIN, 0 },
					{ interrupt_fd(), POLLIN, 0 } };
		int wait_ms = deadline_ms ? (int)MIN(deadline_ms - now, INT_MAX)
					  : -1;

		if (poll(fds, array_size(fds), wait_ms) > 0 && fds[0].revents)
			read_some(monitor, &answer);
	}
	*refusal_ret = answer.refusal;
	return NULL;
}

struct error *monitor_dump(struct monitor *monitor, int fd, bool takes_elf,
			   uint64_t deadline_ms, bool *is_flat_ret)
{
	static const struct {
		const char *format;
		bool is_flat;
	} formats[] = { { "kdump-zlib", true }, { "elf", false } };
	struct error *err;

	_cleanup_free_ char *refusal = NULL;
	err = execute(monitor, "stop", "", -1, deadline_ms, &refusal);
	for (size_t i = 0; i <= takes_elf && !err; i++) {
		_cleanup_free_ char *arguments = string_format(
			"\"paging\": false, \"protocol\": \"fd:dump\", \"format\": \"%s\"",
			formats[i].format);

		free(take_ptr(refusal));
		*is_flat_ret = formats[i].is_flat;
		err = execute(monitor, "getfd", "\"fdname\": \"dump\"", fd,
			      deadline_ms, &refusal);
		if (err || refusal)
			break;
		err = execute(monitor, "dump-guest-memory", arguments, -1,
			      deadline_ms, &refusal);
		// What was begun is no matter of the format.
		if (err || !refusal || lseek(fd, 0, SEEK_END) > 0)
			break;
	}
	if (!err && refusal)
		return error_create(ERROR_OTHER, "QEMU: %s", refusal);
	return err;
}
