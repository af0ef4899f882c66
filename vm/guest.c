// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/catalog.h"
#include "common/error.h"
#include "common/file.h"
#include "common/interrupt.h"
#include "common/log.h"
#include "common/process.h"
#include "common/string_builder.h"
#include "vm/console.h"
#include "vm/kernel.h"
#include "vm/kernel_config.h"
#include "vm/qemu.h"
#include "vm/relay.h"
#include "vm/setup.h"
#include "vm/share.h"
#include "vm/terminal.h"

enum {
	/** Emulated, on a busy machine, a boot takes seconds, not minutes. */
	BOOT_LIMIT_MS = 120000,
	/** After the command's end, while its output stands still. */
	DRAIN_LIMIT_MS = 30000,
	/** For the list of tasks after a timeout: in all, and after the last byte. */
	DUMP_LIMIT_MS = 5000,
	DUMP_QUIET_MS = 400,
	/** For QEMU to end in an orderly way, when it may have disks to write. */
	QUIT_LIMIT_MS = 5000,
	LOG_LINES = 30,
	MAX_DEFAULT_CPUS = 4,
	/** How much of a stream waits in memory when its reader is slow. */
	INPUT_LIMIT_BYTES = 1 << 20,
	/**
	 * The guest's kernel spins with interrupts off while we do not take
	 * what it writes, so we take a lot.
	 */
	OUTPUT_LIMIT_BYTES = 64 << 20,
};

static const char default_memory[] = "2G";

enum phase {
	PHASE_BOOT,
	PHASE_COMMAND,
	/** The command has ended; its output may not have arrived yet. */
	PHASE_DRAIN,
	PHASE_DONE,
	/** The command had its time, and the kernel is listing its tasks. */
	PHASE_DUMP,
};

/** Our relays; all are between a descriptor of the caller's and a port. */
enum {
	RELAY_STDIN,
	RELAY_STDOUT,
	RELAY_STDERR,
	RELAY_COUNT,
};

struct session {
	const struct guest_config *config;
	enum phase phase;
	uint64_t start_ms;
	uint64_t deadline_ms;
	uint64_t quiet_ms;
	char dump_key;
	struct process *qemu;
	int interrupt_fd;
	/** Our ends of the sockets. */
	int console_fd;
	int port_fds[PORT_COUNT];
	/** What QEMU itself prints. */
	int output_fd;
	struct string_builder output;
	struct console console;
	/** Where in the console the list of tasks begins. */
	size_t dump_offset;
	char line[512];
	size_t line_length;
	char *failure;
	struct relay control;
	struct relay relays[RELAY_COUNT];
	bool input_shut;
	struct terminal terminal;
	struct guest_result result;
};

void guest_result_deinit(struct guest_result *result)
{
	free(result->reason);
	free(result->log);
	string_list_deinit(&result->splats);
	*result = (struct guest_result){ 0 };
}

static void session_init(struct session *session,
			 const struct guest_config *config)
{
	*session = (struct session){
		.config = config,
		.start_ms = monotonic_ms(),
		.interrupt_fd = -1,
		.console_fd = -1,
		.output_fd = -1,
		.control = RELAY_INIT,
		.terminal = TERMINAL_INIT,
	};
	session->deadline_ms = session->start_ms + BOOT_LIMIT_MS;
	for (int i = 0; i < PORT_COUNT; i++)
		session->port_fds[i] = -1;
	for (int i = 0; i < RELAY_COUNT; i++)
		session->relays[i] = (struct relay)RELAY_INIT;
}

static void session_deinit(struct session *session)
{
	process_destroy(session->qemu);
	terminal_restore(&session->terminal);
	for (int i = 0; i < RELAY_COUNT; i++)
		relay_deinit(&session->relays[i]);
	relay_deinit(&session->control);
	for (int i = 0; i < PORT_COUNT; i++)
		cleanup_close(&session->port_fds[i]);
	cleanup_close(&session->console_fd);
	cleanup_close(&session->output_fd);
	cleanup_close(&session->interrupt_fd);
	string_builder_deinit(&session->output);
	console_deinit(&session->console);
	free(session->failure);
	guest_result_deinit(&session->result);
}

#define _cleanup_session_ _cleanup_(session_deinit)

static struct error *set_nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return error_create_os(errno, "fcntl");
	return NULL;
}

/** A connection to QEMU. */
static struct error *create_socket(int *ours_ret, int *qemus_ret)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_create_os(errno, "socketpair");
	*ours_ret = fds[0];
	*qemus_ret = fds[1];
	return set_nonblocking(fds[0]);
}

/** Descriptors that QEMU gets; ours are closed once it has them. */
struct qemu_fds {
	int console;
	int ports[PORT_COUNT];
	int output;
};

static void qemu_fds_deinit(struct qemu_fds *fds)
{
	cleanup_close(&fds->console);
	cleanup_close(&fds->output);
	for (int i = 0; i < PORT_COUNT; i++)
		cleanup_close(&fds->ports[i]);
}

static bool has_port(const struct guest_config *config, enum guest_port port)
{
	switch (port) {
	case PORT_TERMINAL:
		return config->interactive;
	case PORT_CONTROL:
		return true;
	case PORT_STDIN:
		return !config->interactive && config->stdin_fd >= 0;
	case PORT_STDOUT:
		return !config->interactive && config->stdout_fd >= 0;
	case PORT_STDERR:
		return !config->interactive && config->stderr_fd >= 0;
	case PORT_COUNT:
		break;
	}
	return false;
}

static struct error *session_connect(struct session *session, struct qemu_fds *fds)
{
	struct error *err;
	int output[2];

	err = interrupt_open(&session->interrupt_fd);
	if (err)
		return err;
	err = create_socket(&session->console_fd, &fds->console);
	if (err)
		return err;
	for (int i = 0; i < PORT_COUNT; i++) {
		if (!has_port(session->config, (enum guest_port)i))
			continue;
		err = create_socket(&session->port_fds[i], &fds->ports[i]);
		if (err)
			return err;
	}
	if (pipe2(output, O_CLOEXEC) < 0)
		return error_create_os(errno, "pipe");
	session->output_fd = output[0];
	fds->output = output[1];
	return set_nonblocking(session->output_fd);
}

static void session_init_relays(struct session *session)
{
	const struct guest_config *config = session->config;
	const int *ports = session->port_fds;

	relay_init(&session->control, -1, ports[PORT_CONTROL], SIZE_MAX);
	if (config->interactive) {
		relay_init(&session->relays[RELAY_STDIN], config->stdin_fd,
			   ports[PORT_TERMINAL], INPUT_LIMIT_BYTES);
		relay_init(&session->relays[RELAY_STDOUT], ports[PORT_TERMINAL],
			   config->stdout_fd, OUTPUT_LIMIT_BYTES);
		return;
	}
	if (ports[PORT_STDIN] >= 0)
		relay_init(&session->relays[RELAY_STDIN], config->stdin_fd,
			   ports[PORT_STDIN], INPUT_LIMIT_BYTES);
	if (ports[PORT_STDOUT] >= 0)
		relay_init(&session->relays[RELAY_STDOUT], ports[PORT_STDOUT],
			   config->stdout_fd, OUTPUT_LIMIT_BYTES);
	if (ports[PORT_STDERR] >= 0)
		relay_init(&session->relays[RELAY_STDERR], ports[PORT_STDERR],
			   config->stderr_fd, OUTPUT_LIMIT_BYTES);
}

/** Queue what init.sh asks for first. */
static struct error *session_send_setup(struct session *session,
					const struct share_plan *shares)
{
	struct error *err;

	const struct guest_config *config = session->config;
	struct setup setup = {
		.shares = shares,
		.directory = config->directory ? config->directory : "/",
		.environment = &config->environment,
		.command = config->command,
		.has_stdin = has_port(config, PORT_STDIN),
		.has_stdout = has_port(config, PORT_STDOUT),
		.has_stderr = has_port(config, PORT_STDERR),
		.interactive = config->interactive,
	};
	_cleanup_free_ char *text = NULL;

	if (config->interactive)
		terminal_size(config->stdout_fd, &setup.rows, &setup.columns);
	err = setup_format(&setup, &text);
	if (err)
		return err;
	return relay_feed(&session->control, text, strlen(text));
}

static struct error *session_spawn(struct session *session,
				   struct qemu_options *options,
				   struct qemu_fds *fds)
{
	struct error *err;

	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;
	int keep[PORT_COUNT + 1];
	unsigned int count = 0;

	options->console_fd = fds->console;
	keep[count++] = fds->console;
	for (int i = 0; i < PORT_COUNT; i++) {
		options->port_fds[i] = fds->ports[i];
		if (fds->ports[i] >= 0)
			keep[count++] = fds->ports[i];
	}
	err = qemu_arguments(options, &arguments);
	if (err)
		return err;
	if (log_level() >= LOG_DEBUG) {
		_cleanup_string_builder_ struct string_builder sb =
			STRING_BUILDER_INIT;
		_cleanup_free_ char *text = NULL;

		for (size_t i = 0; i < arguments.count; i++) {
			string_builder_append(&sb, i ? " " : "");
			string_builder_append_shell(&sb, arguments.items[i]);
		}
		err = string_builder_finish(&sb, &text);
		if (err)
			return err;
		log_debug("%s", text);
	}

	const struct process_options process_options = {
		.arguments = (const char *const *)arguments.items,
		.stdout_fd = fds->output,
		.stderr_fd = fds->output,
		.keep_fds = keep,
		.keep_fd_count = count,
	};

	return process_spawn(&process_options, &session->qemu);
}

/** Press a sysrq key: a BREAK (this is QEMU's escape for it), then the key. */
static void session_press(struct session *session, char key)
{
	const char keys[] = { '\001', 'b', key };

	session->dump_key = key;
	session->quiet_ms = monotonic_ms() + DUMP_QUIET_MS;
	if (send(session->console_fd, keys, sizeof(keys),
		 MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("the console takes no keys");
}

/**
 * Once the kernel is silent. A second BREAK that comes before it has read the
 * first is not seen as one, so keys are pressed one by one: show all messages,
 * then list all tasks.
 *
 * @return Whether that was the last key.
 */
static bool session_dump_next(struct session *session)
{
	if (session->dump_key == 't')
		return true;
	session_press(session, 't');
	return false;
}

static void session_enter_phase(struct session *session, enum phase phase)
{
	uint64_t now = monotonic_ms();

	session->phase = phase;
	switch (phase) {
	case PHASE_BOOT:
		break;
	case PHASE_COMMAND:
		session->result.boot_ms = now - session->start_ms;
		session->deadline_ms = session->config->timeout_ms
					       ? now + session->config->timeout_ms
					       : 0;
		break;
	case PHASE_DRAIN:
		session->result.command_ms =
			now - session->start_ms - session->result.boot_ms;
		session->deadline_ms = now + DRAIN_LIMIT_MS;
		break;
	case PHASE_DONE:
		session->deadline_ms = 0;
		break;
	case PHASE_DUMP:
		session->dump_offset = session->console.length;
		session->deadline_ms = now + DUMP_LIMIT_MS;
		session_press(session, '7');
		break;
	}
}

static struct error *session_control_line(struct session *session)
{
	static const char exit_word[] = "exit ";
	static const char fail_word[] = "fail ";
	const char *line = session->line;

	log_debug("guest: %s", line);
	if (strcmp(line, "ready") == 0 && session->phase == PHASE_BOOT)
		session_enter_phase(session, PHASE_COMMAND);
	if (strcmp(line, "done") == 0 && session->phase == PHASE_DRAIN)
		session_enter_phase(session, PHASE_DONE);
	if (strncmp(line, exit_word, strlen(exit_word)) == 0 &&
	    session->phase == PHASE_COMMAND) {
		session->result.exit_status =
			(int)strtol(line + strlen(exit_word), NULL, 10);
		session_enter_phase(session, PHASE_DRAIN);
	}
	if (strncmp(line, fail_word, strlen(fail_word)) == 0 &&
	    !session->failure) {
		session->failure = strdup(line + strlen(fail_word));
		if (!session->failure)
			return error_no_memory();
	}
	return NULL;
}

static struct error *session_read_control(struct session *session)
{
	struct error *err;
	char data[512];
	ssize_t n;

	while ((n = read(session->port_fds[PORT_CONTROL], data, sizeof(data))) >
	       0) {
		for (ssize_t i = 0; i < n; i++) {
			if (data[i] != '\n') {
				if (session->line_length + 1 <
				    sizeof(session->line))
					session->line[session->line_length++] =
						data[i];
				continue;
			}
			session->line[session->line_length] = '\0';
			session->line_length = 0;
			err = session_control_line(session);
			if (err)
				return err;
		}
	}
	return NULL;
}

static void session_read_console(struct session *session)
{
	char data[16384];
	ssize_t n;

	while ((n = read(session->console_fd, data, sizeof(data))) > 0) {
		console_feed(&session->console, data, (size_t)n);
		if (log_level() >= LOG_DEBUG)
			fwrite(data, 1, (size_t)n, stderr);
		if (session->phase == PHASE_DUMP)
			session->quiet_ms = monotonic_ms() + DUMP_QUIET_MS;
	}
}

static void session_read_output(struct session *session)
{
	enum {
		LIMIT = 16384
	};
	char data[1024];
	ssize_t n;

	while ((n = read(session->output_fd, data, sizeof(data))) > 0) {
		if (session->output.length < LIMIT)
			string_builder_append_n(&session->output, data,
						(size_t)n);
		if (log_level() >= LOG_DEBUG)
			fwrite(data, 1, (size_t)n, stderr);
	}
	if (n == 0)
		close(take_fd(&session->output_fd));
}

static struct error *session_terminal_signal(struct session *session)
{
	struct error *err;
	bool resized = false;

	err = terminal_signal(&session->terminal, &resized);
	if (err || !resized)
		return err;

	char line[64];
	unsigned int rows;
	unsigned int columns;

	terminal_size(session->config->stdout_fd, &rows, &columns);
	snprintf(line, sizeof(line), "%u %u\n", rows, columns);
	return relay_feed(&session->control, line, strlen(line));
}

/** Move one stream. */
static struct error *session_relay(struct session *session, int i,
				   struct pollfd polled[static 2])
{
	struct error *err;
	struct relay *relay = &session->relays[i];
	size_t before = relay->length;
	bool moved = false;
	struct pollfd part[2] = { polled[0], { .fd = -1 } };

	err = relay_move(relay, part, &moved);
	if (err)
		return err;
	if (i == RELAY_STDIN && session->config->interactive &&
	    relay->length > before &&
	    terminal_escaped(&session->terminal,
			     relay->data + relay->start + before,
			     relay->length - before))
		return error_create(ERROR_CANCELLED, "ended by the user");
	part[0].fd = -1;
	part[1] = polled[1];
	err = relay_move(relay, part, &moved);
	if (err)
		return err;
	if (moved && session->phase == PHASE_DRAIN)
		session->deadline_ms = monotonic_ms() + DRAIN_LIMIT_MS;
	if (i == RELAY_STDIN && relay_is_done(relay) && !session->input_shut &&
	    relay->to_fd >= 0) {
		// Not close(): QEMU would drop what it has not read yet.
		shutdown(relay->to_fd, SHUT_WR);
		session->input_shut = true;
	}
	return NULL;
}

/** Milliseconds until something is due, as poll(2) takes them. */
static int session_wait_ms(const struct session *session)
{
	uint64_t now = monotonic_ms();
	uint64_t due = session->deadline_ms;

	if (session->phase == PHASE_DUMP && session->quiet_ms < due)
		due = session->quiet_ms;
	if (!due)
		return -1;
	if (due <= now)
		return 0;
	return due - now > INT_MAX ? INT_MAX : (int)(due - now);
}

/** @param[out] ended_ret Whether QEMU has ended. */
static struct error *session_step(struct session *session, bool *ended_ret)
{
	enum {
		POLL_INTERRUPT,
		POLL_QEMU,
		POLL_CONTROL,
		POLL_CONSOLE,
		POLL_OUTPUT,
		POLL_TERMINAL,
		POLL_SETUP,
		POLL_RELAYS = POLL_SETUP + 2,
		POLL_COUNT = POLL_RELAYS + 2 * RELAY_COUNT,
	};
	struct error *err;
	struct pollfd fds[POLL_COUNT] = {
		[POLL_INTERRUPT] = { session->interrupt_fd, POLLIN, 0 },
		[POLL_QEMU] = { process_fd(session->qemu), POLLIN, 0 },
		[POLL_CONTROL] = { session->port_fds[PORT_CONTROL], POLLIN, 0 },
		[POLL_CONSOLE] = { session->console_fd, POLLIN, 0 },
		[POLL_OUTPUT] = { session->output_fd, POLLIN, 0 },
		[POLL_TERMINAL] = { session->terminal.signal_fd, POLLIN, 0 },
	};
	bool moved = false;

	relay_prepare(&session->control, fds + POLL_SETUP);
	for (int i = 0; i < RELAY_COUNT; i++)
		relay_prepare(&session->relays[i], fds + POLL_RELAYS + 2 * i);
	if (poll(fds, POLL_COUNT, session_wait_ms(session)) < 0) {
		if (errno == EINTR)
			return NULL;
		return error_create_os(errno, "poll");
	}
	err = interrupt_check();
	if (err)
		return err;
	if (fds[POLL_TERMINAL].revents) {
		err = session_terminal_signal(session);
		if (err)
			return err;
	}
	if (fds[POLL_CONSOLE].revents)
		session_read_console(session);
	if (fds[POLL_OUTPUT].revents)
		session_read_output(session);
	err = relay_move(&session->control, fds + POLL_SETUP, &moved);
	if (err)
		return err;
	for (int i = 0; i < RELAY_COUNT; i++) {
		err = session_relay(session, i, fds + POLL_RELAYS + 2 * i);
		if (err)
			return err;
	}
	*ended_ret = fds[POLL_QEMU].revents;
	if (fds[POLL_CONTROL].revents || *ended_ret)
		return session_read_control(session);
	return NULL;
}

/** Hand on all that has arrived. */
static struct error *session_flush(struct session *session)
{
	struct error *err;

	for (int i = RELAY_STDOUT; i < RELAY_COUNT; i++) {
		struct relay *relay = &session->relays[i];

		err = relay_collect(relay);
		if (err)
			return err;
		while (relay->length && !relay->broken) {
			struct pollfd fds[3];
			bool moved = false;

			relay_prepare(relay, fds);
			fds[0].fd = -1;
			fds[2] = (struct pollfd){ session->interrupt_fd, POLLIN,
						  0 };
			if (poll(fds, 3, -1) < 0 && errno != EINTR)
				return error_create_os(errno, "poll");
			err = interrupt_check();
			if (err)
				return err;
			err = relay_move(relay, fds, &moved);
			if (err)
				return err;
		}
	}
	return NULL;
}

static _printf_(2, 3) struct error *session_set_reason(struct session *session,
						       const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&session->result.reason, format, ap) < 0)
		session->result.reason = NULL;
	va_end(ap);
	return session->result.reason ? NULL : error_no_memory();
}

/** The guest ended without saying how the command did. */
static struct error *session_lose(struct session *session,
				  const struct process_status *status)
{
	session->result.outcome = GUEST_LOST;
	if (session->console.panic)
		return session_set_reason(session, "%s", session->console.panic);
	if (!status)
		return session_set_reason(
			session,
			session->phase == PHASE_BOOT
				? "the guest did not start the command within %d seconds"
				: "the command has ended, but the guest did not finish within %d seconds",
			session->phase == PHASE_BOOT ? BOOT_LIMIT_MS / 1000
						     : DRAIN_LIMIT_MS / 1000);
	if (status->signal)
		return session_set_reason(session, "QEMU was killed by signal %d",
					  status->signal);
	if (status->exit_status)
		return session_set_reason(session, "QEMU exited with status %d",
					  status->exit_status);
	return session_set_reason(
		session,
		session->phase == PHASE_BOOT
			? "the guest powered off before the command started"
			: "the guest powered off or rebooted before the command ended");
}

/** QEMU's own words, in one line. */
static struct error *session_qemu_error(struct session *session)
{
	struct error *err;

	_cleanup_free_ char *text = NULL;

	err = string_builder_finish(&session->output, &text);
	if (err)
		return err;
	for (char *p = text; *p; p++) {
		if (*p == '\n')
			*p = p[1] ? ' ' : '\0';
	}
	if (qemu_lacks_machine(text))
		return error_create(ERROR_NOT_FOUND, "%s", text);
	return error_create(ERROR_OTHER, "QEMU did not start: %s",
			    *text ? text : "it said nothing");
}

static struct error *session_finish_lost(struct session *session, bool ended)
{
	struct error *err;
	struct process_status status = { 0 };

	if (ended) {
		session_read_console(session);
		session_read_output(session);
		err = process_wait(session->qemu, 0, &status);
		if (err)
			return err;
		if (session->phase == PHASE_BOOT && !session->console.length &&
		    (status.exit_status || status.signal))
			return session_qemu_error(session);
	}
	return session_lose(session, ended ? &status : NULL);
}

/** Run the loop until there is a result. */
static struct error *session_loop(struct session *session)
{
	struct error *err;
	bool ended = false;

	while (session->phase != PHASE_DONE && !ended) {
		err = session_step(session, &ended);
		if (err)
			return err;
		err = console_check(&session->console);
		if (err)
			return err;
		if (session->failure) {
			session_read_console(session);
			return error_create(ERROR_OTHER, "the guest could not %s",
					    session->failure);
		}

		// Nobody reads what the command writes: as in a pipeline.
		if (session->relays[RELAY_STDOUT].broken) {
			session->result.exit_status = 128 + SIGPIPE;
			return NULL;
		}

		uint64_t now = monotonic_ms();
		bool late = session->deadline_ms && now >= session->deadline_ms;

		if (session->phase == PHASE_DUMP && now >= session->quiet_ms &&
		    session_dump_next(session))
			break;
		if (!late || ended || session->phase == PHASE_DONE)
			continue;
		if (session->phase != PHASE_COMMAND)
			break;
		session_enter_phase(session, PHASE_DUMP);
	}
	if (session->phase == PHASE_DUMP && !ended) {
		session->result.outcome = GUEST_TIMED_OUT;
		err = session_set_reason(
			session, "the command did not end within %llu seconds",
			(unsigned long long)session->config->timeout_ms / 1000);
	} else if (session->phase != PHASE_DONE) {
		err = session_finish_lost(session, ended);
	} else {
		err = NULL;
	}
	if (err)
		return err;
	return session_flush(session);
}

static struct error *session_take_result(struct session *session,
					 struct guest_result *ret)
{
	struct error *err;

	_cleanup_string_builder_ struct string_builder log = STRING_BUILDER_INIT;

	session_read_console(session);
	if (session->result.outcome == GUEST_TIMED_OUT &&
	    !console_append_tasks(&session->console, session->dump_offset, &log))
		console_append_tail(&session->console, LOG_LINES, &log);
	if (session->result.outcome == GUEST_LOST)
		console_append_tail(&session->console, LOG_LINES, &log);
	err = string_builder_finish(&log, &session->result.log);
	if (err)
		return err;
	err = console_check(&session->console);
	if (err)
		return err;
	session->result.splats = session->console.splats;
	session->result.splat_count = session->console.splat_count;
	session->console.splats = (struct string_list)STRING_LIST_INIT;
	*ret = session->result;
	session->result = (struct guest_result){ 0 };
	return NULL;
}

/** End QEMU: at once, unless it may have something to write. */
static void session_quit(struct session *session)
{
	struct process_status status;

	if (session->config->qemu_options.count) {
		process_kill(session->qemu, SIGTERM);
		// If it does not end, it is killed below.
		error_destroy(process_wait(session->qemu,
					   monotonic_ms() + QUIT_LIMIT_MS,
					   &status));
	}
	process_destroy(take_ptr(session->qemu));
}

/** Run the guest on one machine. */
static struct error *run_on_machine(const struct guest_config *config,
				    struct qemu_options *options,
				    struct guest_result *ret)
{
	struct error *err;

	_cleanup_(qemu_fds_deinit) struct qemu_fds fds = {
		.console = -1,
		.output = -1,
	};
	_cleanup_session_ struct session session;

	for (int i = 0; i < PORT_COUNT; i++)
		fds.ports[i] = -1;
	session_init(&session, config);
	err = session_connect(&session, &fds);
	if (err)
		return err;
	session_init_relays(&session);
	err = session_send_setup(&session, options->shares);
	if (err)
		return err;
	err = session_spawn(&session, options, &fds);
	if (err)
		return err;
	// Otherwise nothing would tell us that QEMU has closed its ends.
	qemu_fds_deinit(&fds);
	fds = (struct qemu_fds){ .console = -1, .output = -1 };
	for (int i = 0; i < PORT_COUNT; i++)
		fds.ports[i] = -1;
	if (config->interactive) {
		err = terminal_take(&session.terminal, config->stdin_fd);
		if (err)
			return err;
	}
	err = session_loop(&session);
	terminal_restore(&session.terminal);
	if (err) {
		_cleanup_string_builder_ struct string_builder log =
			STRING_BUILDER_INIT;
		_cleanup_free_ char *text = NULL;

		if (!session.failure)
			return err;
		console_append_tail(&session.console, LOG_LINES, &log);
		error_destroy(string_builder_finish(&log, &text));
		if (text)
			fputs(text, stderr);
		return err;
	}
	session_quit(&session);
	return session_take_result(&session, ret);
}

/** Where a package's modules belong in a root, whose /lib may be a link. */
static struct error *find_modules(const char *root, const char *release,
				  char **ret)
{
	struct error *err;

	_cleanup_free_ char *lib = NULL;
	char target[64];
	ssize_t n;

	err = path_join(root, "lib", &lib);
	if (err)
		return err;
	n = readlink(lib, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';

	const char *name = target + (*target == '/');

	return path_joinf(ret, strcmp(name, "usr/lib") == 0 ? "/usr/lib" : "/lib",
			  "modules/%s", release);
}

static struct error *canonicalize(const char *path, const char *what, char **ret)
{
	*ret = realpath(path, NULL);
	if (!*ret)
		return error_create_os(errno, "%s %s", what, path);
	return NULL;
}

static struct error *plan_shares(const struct guest_config *config,
				 const char *init, struct share_plan *ret)
{
	struct error *err;

	_cleanup_free_ char *root = NULL;
	_cleanup_free_ char *modules = NULL;
	_cleanup_free_ char *init_directory = strdup(init);
	_cleanup_string_list_ struct string_list writable = STRING_LIST_INIT;

	if (!init_directory)
		return error_no_memory();
	*strrchr(init_directory, '/') = '\0';
	err = canonicalize(config->root ? config->root : "/", "root", &root);
	if (err)
		return err;
	err = find_modules(root, config->kernel->release, &modules);
	if (err)
		return err;
	for (size_t i = 0; i < config->writable.count; i++) {
		_cleanup_free_ char *path = NULL;

		err = canonicalize(config->writable.items[i], "--rw", &path);
		if (err)
			return err;
		if (!directory_exists(path))
			return error_create(ERROR_USAGE,
					    "--rw %s is not a folder", path);
		string_list_add(&writable, path);
	}
	err = string_list_check(&writable);
	if (err)
		return err;

	const struct share_request request = {
		.root = root,
		.package = config->kernel->path,
		.modules = modules,
		.directory = config->directory,
		.writable = &writable,
		.init = init_directory,
		.config = config->kernel->config,
	};

	return share_plan_compute(&request, ret);
}

static unsigned int default_cpus(const char *config)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (!kernel_config_has(config, "CONFIG_SMP") || online < 1)
		return 1;
	return online > MAX_DEFAULT_CPUS ? MAX_DEFAULT_CPUS
					 : (unsigned int)online;
}

struct error *guest_run(const struct guest_config *config,
			struct guest_result *ret)
{
	struct error *err;

	const struct kernel *kernel = config->kernel;
	struct tsc_sample tsc;
	bool has_tsc = tsc_read(&tsc);
	_cleanup_free_ char *init_link = NULL;
	_cleanup_free_ char *init = NULL;
	_cleanup_share_plan_ struct share_plan shares = { 0 };
	struct qemu_options options = {
		.arch = config->arch,
		.memory = config->memory ? config->memory : default_memory,
		.cpus = config->cpus ? config->cpus
				     : default_cpus(kernel->config),
		.shares = &shares,
		.hz = kernel_config_number(kernel->config, "CONFIG_HZ"),
		.verbose = log_level() >= LOG_DEBUG,
		.append = &config->append,
		.arguments = &config->qemu_options,
	};
	bool is_x86 = strcmp(config->arch->source_arch, "x86") == 0;

	err = data_path("init.sh", &init_link);
	if (err)
		return err;
	err = canonicalize(init_link, "init", &init);
	if (err)
		return err;
	options.init = init;
	err = plan_shares(config, init, &shares);
	if (err)
		return err;
	err = accel_choose(config->accel, config->arch, &options.accel);
	if (err)
		return err;
	if (is_x86 && has_tsc && options.accel == ACCEL_TCG)
		options.tsc_khz = tsc_khz_since(&tsc);

	for (const struct catalog_machine *machine = NULL;;) {
		_cleanup_free_ char *image = NULL;

		err = qemu_choose_machine(config->arch, kernel->config,
					  config->machine, machine, &machine);
		if (err)
			return err;
		err = path_join(kernel->path, machine->kernel, &image);
		if (err)
			return err;
		if (!file_exists(image)) {
			log_debug("%s: no %s", machine->name, image);
			continue;
		}
		options.machine = machine;
		options.image = image;
		err = run_on_machine(config, &options, ret);
		// Of a program that is not there, no machine helps.
		if (err && error_is(err, ERROR_NOT_FOUND) &&
		    process_program_exists(config->arch->qemu)) {
			log_debug("%s: %s", machine->name, error_message(err));
			error_destroy(err);
			continue;
		}
		return err;
	}
}
