// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_session.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/cli/progress.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"
#include "vm/guest/confinement.h"
#include "vm/guest/qemu.h"
#include "vm/kernel/kernel.h"

enum {
	/** For the list of tasks after a timeout: in all, and after the last byte. */
	DUMP_LIMIT_MS = 5000,
	DUMP_QUIET_MS = 400,
	/** For QEMU to end in an orderly way, when it may have disks to write. */
	QUIT_LIMIT_MS = 5000,
};

static void session_init(struct guest_session *session,
			 const struct guest_config *config,
			 const struct guest_extras *extras, enum accel accel)
{
	*session = (struct guest_session){
		.config = config,
		.extras = extras,
		.start_ms = monotonic_ms(),
		.boot_limit_ms = accel == ACCEL_KVM ? GUEST_KVM_BOOT_LIMIT_MS
						    : GUEST_TCG_BOOT_LIMIT_MS,
		.interrupt_fd = -1,
		.control = RELAY_INIT,
		.terminal = TERMINAL_INIT,
	};
	session->deadline_ms = session->start_ms + session->boot_limit_ms;
	guest_link_init(&session->link);
}

static void session_deinit(struct guest_session *session)
{
	progress_destroy(session->progress);
	process_destroy(session->qemu);
	terminal_restore(&session->terminal);
	guest_streams_deinit(&session->streams);
	relay_deinit(&session->control);
	guest_link_deinit(&session->link);
	cleanup_close(&session->interrupt_fd);
	string_builder_deinit(&session->output);
	console_deinit(&session->console);
	free(session->failure);
	guest_result_deinit(&session->result);
}

#define _cleanup_session_ _cleanup_(session_deinit)

static struct error *session_spawn(struct guest_session *session,
				   struct qemu_options *options,
				   const struct guest_link *link)
{
	struct error *err;

	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;
	int keep[PORT_COUNT + 2];
	unsigned int count = 0;
	_cleanup_close_ int ruleset_fd = -1;

	options->console_fd = link->console_fd;
	keep[count++] = link->console_fd;
	if (options->disk_fd >= 0)
		keep[count++] = options->disk_fd;
	for (int i = 0; i < PORT_COUNT; i++) {
		options->port_fds[i] = link->port_fds[i];
		if (link->port_fds[i] >= 0)
			keep[count++] = link->port_fds[i];
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
		text = string_builder_take(&sb);
		log_debug("%s", text);
	}

	err = confinement_create(&ruleset_fd);
	if (err)
		return err;

	const struct process_options process_options = {
		.arguments = (const char *const *)arguments.items,
		// The guest could read it in the host's /proc.
		.inherited = qemu_variables,
		.ruleset_fd = &ruleset_fd,
		.stdout_fd = &link->output_fd,
		.stderr_fd = &link->output_fd,
		.keep_fds = keep,
		.keep_fd_count = count,
	};

	return process_spawn(&process_options, &session->qemu);
}

/** Press a sysrq key: what announces one, by default a BREAK, then the key. */
static void session_press(struct guest_session *session, char key)
{
	// QEMU's escape for a BREAK.
	static const char break_keys[] = "\001b";
	const char *sysrq = session->config->arch->sysrq;
	char keys[8];
	int length = snprintf(keys, sizeof(keys), "%.6s%c",
			      sysrq ? sysrq : break_keys, key);

	session->dump_key = key;
	session->quiet_ms = monotonic_ms() + DUMP_QUIET_MS;
	if (send(session->link.console_fd, keys, (size_t)length,
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
static bool session_dump_next(struct guest_session *session)
{
	if (session->dump_key == 't')
		return true;
	session_press(session, 't');
	return false;
}

static void session_measure_command(struct guest_session *session)
{
	session->result.command_ms =
		monotonic_ms() - session->start_ms - session->result.boot_ms;
}

/** While the command runs, what is written is its own, and its user's to say. */
static void session_show_phase(struct guest_session *session)
{
	progress_destroy(take_ptr(session->progress));
	// With --verbose, the console goes to stderr too, past the log.
	if (log_level() >= LOG_DEBUG)
		return;
	if (session->phase == PHASE_BOOT || session->phase == PHASE_CRASH)
		session->progress =
			progress_createf(PROGRESS_TIME, "boot %s%s",
					 session->phase == PHASE_CRASH
						 ? "the crash kernel of "
						 : "",
					 session->config->kernel->release);
}

void guest_session_enter_phase(struct guest_session *session,
			       enum guest_phase phase)
{
	uint64_t now = monotonic_ms();

	session->phase = phase;
	session_show_phase(session);
	switch (phase) {
	case PHASE_BOOT:
	case PHASE_CRASH:
		session->deadline_ms = now + session->boot_limit_ms;
		if (session->command_deadline_ms &&
		    session->command_deadline_ms < session->deadline_ms)
			session->deadline_ms = session->command_deadline_ms;
		break;
	case PHASE_COMMAND:
		if (!session->result.boot_ms) {
			session->result.boot_ms = now - session->start_ms;
			if (session->config->timeout_ms)
				session->command_deadline_ms =
					now + session->config->timeout_ms;
		}
		session->deadline_ms = session->command_deadline_ms;
		break;
	case PHASE_DRAIN:
		session_measure_command(session);
		session->deadline_ms = now + GUEST_DRAIN_LIMIT_MS;
		break;
	case PHASE_DONE:
		session->deadline_ms = 0;
		break;
	case PHASE_DUMP:
		session_measure_command(session);
		console_expect_tasks(&session->console);
		session->deadline_ms = now + DUMP_LIMIT_MS;
		session_press(session, '7');
		break;
	}
}

void guest_session_read_console(struct guest_session *session)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	char data[16384];
	ssize_t n;

	while ((n = read(session->link.console_fd, data, sizeof(data))) > 0) {
		console_feed(&session->console, data, (size_t)n);
		// A log that cannot be written is no reason to end the guest.
		if (session->config->console_log_fd)
			write_all(session->config->console_log_fd, data,
				  (size_t)n);
		if (session->phase == PHASE_DUMP)
			session->quiet_ms = monotonic_ms() + DUMP_QUIET_MS;
	}
	if (log_level() >= LOG_DEBUG) {
		console_append_new(&session->console, &sb);
		fputs(sb.text ? sb.text : "", stderr);
	}
}

void guest_session_read_output(struct guest_session *session)
{
	enum {
		LIMIT = 16384
	};
	char data[1024];
	ssize_t n;

	while ((n = read(session->link.output_fd, data, sizeof(data))) > 0) {
		if (session->output.length < LIMIT)
			string_builder_append_n(&session->output, data,
						(size_t)n);
		if (log_level() >= LOG_DEBUG)
			fwrite(data, 1, (size_t)n, stderr);
	}
	if (n == 0)
		close(take_fd(&session->link.output_fd));
}

static struct error *session_terminal_signal(struct guest_session *session)
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

/** Milliseconds until something is due, as poll(2) takes them. */
static int session_wait_ms(const struct guest_session *session)
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
static struct error *session_step(struct guest_session *session, bool *ended_ret)
{
	enum {
		POLL_INTERRUPT,
		POLL_QEMU,
		POLL_CONTROL,
		POLL_CONSOLE,
		POLL_OUTPUT,
		POLL_TERMINAL,
		POLL_SETUP,
		POLL_STREAMS = POLL_SETUP + 2,
		POLL_COUNT = POLL_STREAMS + GUEST_STREAM_POLL_COUNT,
	};
	struct error *err;
	struct pollfd fds[POLL_COUNT] = {
		[POLL_INTERRUPT] = { session->interrupt_fd, POLLIN, 0 },
		[POLL_QEMU] = { process_fd(session->qemu), POLLIN, 0 },
		[POLL_CONTROL] = { session->link.port_fds[PORT_CONTROL], POLLIN,
				   0 },
		[POLL_CONSOLE] = { session->link.console_fd, POLLIN, 0 },
		[POLL_OUTPUT] = { session->link.output_fd, POLLIN, 0 },
		[POLL_TERMINAL] = { session->terminal.signal_fd, POLLIN, 0 },
	};
	bool sent = false, moved = false;

	relay_prepare(&session->control, fds + POLL_SETUP);
	guest_streams_prepare(&session->streams, fds + POLL_STREAMS);
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
		guest_session_read_console(session);
	if (fds[POLL_OUTPUT].revents)
		guest_session_read_output(session);
	err = relay_move(&session->control, fds + POLL_SETUP, &sent);
	if (err)
		return err;
	err = guest_streams_move(&session->streams, fds + POLL_STREAMS, &moved);
	if (err)
		return err;
	if (moved && session->phase == PHASE_DRAIN)
		session->deadline_ms = monotonic_ms() + GUEST_DRAIN_LIMIT_MS;
	*ended_ret = fds[POLL_QEMU].revents;
	if (fds[POLL_CONTROL].revents || *ended_ret)
		return guest_session_read_control(session);
	return NULL;
}

/** Whether a crash kernel has to be waited for, and is not yet. */
static bool session_has_crashed(const struct guest_session *session)
{
	return session->config->kdump && session->console.panic &&
	       (session->phase == PHASE_COMMAND || session->phase == PHASE_DRAIN);
}

/** If a phase takes too long: whether it is that the command had its time. */
static bool session_is_timed_out(const struct guest_session *session, uint64_t now)
{
	return session->phase != PHASE_DRAIN && session->phase != PHASE_DUMP &&
	       session->command_deadline_ms &&
	       now >= session->command_deadline_ms;
}

/** Run the loop until there is a result. */
static struct error *session_loop(struct guest_session *session)
{
	struct error *err;
	bool ended = false;

	while (session->phase != PHASE_DONE && !ended) {
		err = session_step(session, &ended);
		if (err)
			return err;
		if (session->failure) {
			guest_session_read_console(session);
			return error_create(ERROR_OTHER, "the guest could not %s",
					    session->failure);
		}

		if (session_has_crashed(session))
			guest_session_enter_phase(session, PHASE_CRASH);

		// Nobody reads what the command writes: as in a pipeline.
		if (guest_streams_is_broken(&session->streams)) {
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
		if (session->phase == PHASE_DRAIN &&
		    guest_streams_is_full(&session->streams)) {
			session->deadline_ms = now + GUEST_DRAIN_LIMIT_MS;
			continue;
		}
		if (!session_is_timed_out(session, now))
			break;
		guest_session_enter_phase(session, PHASE_DUMP);
	}
	if (session->phase == PHASE_COMMAND || session->phase == PHASE_CRASH)
		session_measure_command(session);
	err = guest_session_conclude(session, ended);
	if (err)
		return err;
	return guest_streams_flush(&session->streams, session->interrupt_fd);
}

/** End QEMU: at once, unless it may have something to write. */
static void session_quit(struct guest_session *session)
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

/** Start QEMU, with all that it and the guest are told at first. */
static struct error *session_start(struct guest_session *session,
				   struct qemu_options *options)
{
	struct error *err;

	_cleanup_guest_link_ struct guest_link qemus_link;

	guest_link_init(&qemus_link);
	err = interrupt_open(&session->interrupt_fd);
	if (err)
		return err;
	err = guest_link_create(session->config, &session->link, &qemus_link);
	if (err)
		return err;
	relay_init(&session->control, -1, session->link.port_fds[PORT_CONTROL],
		   SIZE_MAX);
	guest_streams_init(&session->streams, session->config, &session->link,
			   &session->terminal);
	session->shares = options->shares;
	err = guest_session_send_setup(session);
	if (err)
		return err;
	// Its side is closed here: otherwise nothing would tell us that QEMU
	// has closed it.
	return session_spawn(session, options, &qemus_link);
}

struct error *guest_session_run(const struct guest_config *config,
				const struct guest_extras *extras,
				struct qemu_options *options,
				struct guest_result *ret)
{
	struct error *err;

	_cleanup_session_ struct guest_session session;

	session_init(&session, config, extras, options->accel);
	err = session_start(&session, options);
	if (err)
		return err;
	session_show_phase(&session);
	if (config->interactive) {
		err = terminal_take(&session.terminal, config->stdin_fd);
		if (err)
			return err;
	}
	err = session_loop(&session);
	terminal_restore(&session.terminal);
	if (err) {
		if (session.failure)
			guest_session_print_tail(&session);
		return err;
	}
	session_quit(&session);
	return guest_session_take_result(&session, ret);
}
