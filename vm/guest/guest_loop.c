// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/system.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"
#include "vm/crash/trace.h"
#include "vm/guest/evidence.h"
#include "vm/guest/guest_internal.h"
#include "vm/guest/guest_sessions.h"
#include "vm/guest/guest_streams.h"
#include "vm/kernel/kernel.h"
#include "vm/qemu/monitor.h"
#include "vm/qemu/qemu.h"

/**
 * One QEMU and the guest in it, from its start to its end: polls what they and
 * the user have to say, and does what the lifecycle decides (guest_internal.h).
 */
struct loop {
	const struct guest_config *config;
	const struct guest_plan *plan;
	struct lifecycle lifecycle;
	/** QEMU, and what there is between us. */
	struct qemu_link link;
	/** The plan's, to be told once; -1 from then on, or without servers. */
	int servers_fd;
	/** Once it has ended by itself. */
	struct process_status status;
	/** What ends the guest from outside; NULL while nothing does. */
	struct error *error;
	struct console console;
	/** What QEMU itself prints. */
	struct console output;
	struct protocol protocol;
	struct guest_streams streams;
	struct sessions sessions;
	struct terminal terminal;
	struct monitor monitor;
	struct evidence evidence;
	/** While there is nothing of the command's to see; else NULL. */
	struct progress *progress;
};

static void loop_deinit(struct loop *loop)
{
	progress_destroy(loop->progress);
	terminal_restore(&loop->terminal);
	sessions_deinit(&loop->sessions);
	evidence_deinit(&loop->evidence);
	monitor_deinit(&loop->monitor);
	guest_streams_deinit(&loop->streams);
	qemu_link_deinit(&loop->link);
	protocol_deinit(&loop->protocol);
	console_deinit(&loop->output);
	console_deinit(&loop->console);
	error_destroy(loop->error);
}

#define _cleanup_loop_ _cleanup_(loop_deinit)

unsigned int guest_ports(const struct guest_config *config)
{
	unsigned int ports = 1U << PORT_CONTROL;

	if (config->interactive)
		return ports | 1U << PORT_TERMINAL;
	if (config->stdin_fd >= 0)
		ports |= 1U << PORT_STDIN;
	if (config->stdout_fd >= 0)
		ports |= 1U << PORT_STDOUT;
	if (config->stderr_fd >= 0 && config->stderr_fd != config->stdout_fd)
		ports |= 1U << PORT_STDERR;
	return ports;
}

/** Queue what init.sh asks for first. */
static void send_setup(struct loop *loop)
{
	_cleanup_free_ char *text = protocol_format_setup(loop->config,
							  loop->plan,
							  loop->link.port_fds);

	guest_streams_say(&loop->streams, text);
}

/** While the command runs, what is written is its own, and its user's to say. */
static void show_state(struct loop *loop)
{
	bool crashed = loop->lifecycle.state == LIFECYCLE_CRASH;

	progress_destroy(take_ptr(loop->progress));
	// With --verbose, the console goes to stderr too, past the log.
	if (log_level() < LOG_DEBUG &&
	    (crashed || loop->lifecycle.state == LIFECYCLE_BOOT))
		loop->progress =
			progress_createf(PROGRESS_TIME, "boot %s%s",
					 crashed ? "the crash kernel of " : "",
					 loop->config->qemu.kernel->release);
}

/** Press a sysrq key: what announces one, by default a BREAK, then the key. */
static void press(struct loop *loop, char key)
{
	const char *sysrq = loop->config->qemu.arch->sysrq;
	// QEMU's escape for a BREAK.
	_cleanup_free_ char *keys =
		string_format("%s%c", sysrq ? sysrq : "\001b", key);

	if (send(loop->link.console_fd, keys, strlen(keys),
		 MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("the console takes no keys");
}

static void tell(struct loop *loop, enum lifecycle_event event);

/** Whatever keeps us from going on ends the guest. */
static void check(struct loop *loop, struct error *err)
{
	if (!err)
		return;
	error_keep_first(&loop->error, err);
	tell(loop, EVENT_CANCELLED);
}

/** Meanwhile, the guest stands still. */
static void take_evidence(struct loop *loop)
{
	uint64_t start_ms = monotonic_ms();

	check(loop, evidence_take(&loop->evidence, loop->config, &loop->lifecycle,
				  &loop->console, &loop->monitor));
	loop->lifecycle.still_ms += monotonic_ms() - start_ms;
}

static struct error *compute_result(struct loop *loop, struct run_result *ret)
{
	struct error *err;
	const struct guest_config *config = loop->config;
	const char *said = loop->lifecycle.cause == CAUSE_GUEST
				   ? loop->protocol.what
				   : loop->protocol.text;

	err = run_result_compute(&loop->lifecycle, &loop->console,
				 &loop->output, &loop->status, said, ret);
	if (err)
		return err;
	evidence_examine(&loop->evidence, config, ret);
	run_result_decode(ret, &(struct trace_source){
				       .kernel = config->qemu.kernel->path,
				       .module = config->module,
				       .temporary = config->disk_directory,
			       });
	evidence_keep(&loop->evidence, config, ret);
	return NULL;
}

/** Tell the result while the guest remains. */
static void keep(struct loop *loop)
{
	_cleanup_run_result_ struct run_result result = { 0 };
	struct error *err = compute_result(loop, &result);

	terminal_restore(&loop->terminal);
	guest_streams_discard(&loop->streams);
	// It stood still for its memory to be written.
	monitor_continue(&loop->monitor);
	if (err)
		check(loop, err);
	else
		loop->config->keep(loop->config->keep_arg, loop->sessions.name,
				   &result);
}

static void act(struct loop *loop, enum lifecycle_action action)
{
	const char *panic = loop->console.panic;

	switch (action) {
	case ACTION_NONE:
		break;
	case ACTION_TAKE_OVER:
		log_info("%s; the crash kernel runs the command again",
			 panic ? panic : "the kernel has crashed");
		console_restart(&loop->console);
		sessions_drop(&loop->sessions);
		send_setup(loop);
		break;
	case ACTION_SHOW_MESSAGES:
		console_expect_tasks(&loop->console);
		press(loop, '7');
		break;
	case ACTION_LIST_TASKS:
		press(loop, 't');
		break;
	case ACTION_COLLECT:
		check(loop, guest_streams_collect(&loop->streams));
		if (!loop->lifecycle.qemu_ended)
			take_evidence(loop);
		break;
	case ACTION_KEEP:
		keep(loop);
		break;
	case ACTION_TERMINATE:
		terminal_restore(&loop->terminal);
		process_kill(loop->link.qemu, SIGTERM);
		break;
	}
}

/** Tell the lifecycle what happened, and do what it says. */
static void tell(struct loop *loop, enum lifecycle_event event)
{
	enum lifecycle_state before = loop->lifecycle.state;

	act(loop, lifecycle_step(&loop->lifecycle, event, loop->protocol.status,
				 monotonic_ms()));
	if (loop->lifecycle.state != before)
		show_state(loop);
}

/**
 * Take some of what a descriptor says: not all, which may be without end. One
 * that has ended is closed.
 *
 * @param[in] limit_bytes How much of it is written to a log; 0 for all.
 * @return Whether there was something.
 */
static bool read_text(int *fd, struct console *console, int log_fd,
		      uint64_t limit_bytes)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	char data[16384];
	ssize_t n = read(*fd, data, sizeof(data));

	if (n == 0)
		close(take_fd(fd));
	if (n <= 0)
		return false;
	uint64_t left =
		limit_bytes ? limit_bytes - MIN(limit_bytes, console->size_bytes)
			    : UINT64_MAX;
	console_feed(console, data, (size_t)n);
	// A log that cannot be written is no reason to end the guest.
	if (log_fd >= 0)
		write_all(log_fd, data, MIN((size_t)n, left));
	if (log_level() >= LOG_DEBUG)
		console_append_new(console, &sb);
	if (sb.length)
		fputs(sb.text, stderr);
	return true;
}

static bool read_console(struct loop *loop)
{
	bool any = read_text(&loop->link.console_fd, &loop->console,
			     loop->config->console_log_fd,
			     loop->config->console_limit_bytes);

	if (any)
		tell(loop, EVENT_CONSOLE);
	return any;
}

static bool read_output(struct loop *loop)
{
	return read_text(&loop->link.output_fd, &loop->output, -1, 0);
}

static bool read_control(struct loop *loop)
{
	char data[4096];
	const char *p = data;
	ssize_t n = read(loop->link.port_fds[PORT_CONTROL], data, sizeof(data));
	enum lifecycle_event event;

	while (n > 0 && lifecycle_listens(&loop->lifecycle) &&
	       protocol_read(&loop->protocol, &p, data + n, &event)) {
		log_debug("guest: %s", loop->protocol.text);
		loop->lifecycle.has_splats = loop->config->fail_on_splat &&
					     loop->console.splat_count;
		tell(loop, event);
		if (is_session_event(event))
			sessions_tell(&loop->sessions, event,
				      loop->protocol.status,
				      loop->protocol.session);
	}
	return n > 0;
}

static bool take_interrupt(struct loop *loop)
{
	check(loop, interrupt_check());
	return true;
}

static bool take_terminal_signal(struct loop *loop)
{
	bool resized = false;

	check(loop, terminal_signal(&loop->terminal, &resized));
	if (resized) {
		struct winsize size = terminal_size(loop->config->stdout_fd);
		_cleanup_free_ char *line =
			string_format("resize %u %u %d\n", size.ws_row,
				      size.ws_col, PORT_STDIN);

		guest_streams_say(&loop->streams, line);
	}
	return true;
}

/** What QEMU has left behind is finite. */
static bool take_end(struct loop *loop)
{
	check(loop, process_wait(loop->link.qemu, 0, &loop->status));
	while (read_console(loop) || read_output(loop) || read_control(loop))
		;

	bool failed = loop->status.exit_status || loop->status.signal;

	tell(loop, failed && !loop->console.log.length ? EVENT_QEMU_FAILED
						       : EVENT_QEMU_ENDED);
	return true;
}

/** Of a guest that has ended, QEMU still has the memory. */
static bool read_monitor(struct loop *loop)
{
	// It may have ended since it was asked.
	if (loop->lifecycle.qemu_ended || !monitor_read(&loop->monitor) ||
	    !loop->monitor.is_halted)
		return false;
	while (read_console(loop))
		;
	if (loop->lifecycle.state < LIFECYCLE_FLUSH)
		take_evidence(loop);
	monitor_quit(&loop->monitor);
	return take_end(loop);
}

static bool take_server_end(struct loop *loop)
{
	loop->servers_fd = -1;
	tell(loop, EVENT_SERVER_ENDED);
	return true;
}

static bool console_is_flooded(const struct loop *loop)
{
	uint64_t limit_bytes = loop->config->console_limit_bytes;

	return limit_bytes && loop->console.size_bytes > limit_bytes;
}

static void tell_flood(struct loop *loop, uint64_t limit_bytes)
{
	loop->lifecycle.flood_bytes = limit_bytes;
	tell(loop, EVENT_FLOOD);
}

static void loop_step(struct loop *loop)
{
	const struct qemu_link *link = &loop->link;
	const struct lifecycle *lifecycle = &loop->lifecycle;
	// Once all is decided, what is said no longer matters.
	bool listens = lifecycle_listens(lifecycle);
	const struct {
		int fd;
		bool (*handle)(struct loop *loop);
	} sources[] = {
		{ interrupt_fd(), take_interrupt },
		{ loop->terminal.signal_fd, take_terminal_signal },
		{ listens ? link->console_fd : -1, read_console },
		{ listens ? link->output_fd : -1, read_output },
		{ listens ? link->port_fds[PORT_CONTROL] : -1, read_control },
		{ lifecycle->qemu_ended ? -1 : process_fd(link->qemu), take_end },
		{ lifecycle->qemu_ended ? -1 : loop->monitor.fd, read_monitor },
		{ lifecycle->qemu_ended ? -1 : loop->servers_fd, take_server_end },
	};
	struct pollfd fds[array_size(sources) + GUEST_STREAM_POLL_COUNT +
			  SESSION_POLL_COUNT];
	struct pollfd *streams = fds + array_size(sources);
	struct pollfd *sessions = streams + GUEST_STREAM_POLL_COUNT;
	bool moved = false;

	for (size_t i = 0; i < array_size(sources); i++)
		fds[i] = (struct pollfd){ sources[i].fd, POLLIN, 0 };
	guest_streams_prepare(&loop->streams, streams);
	sessions_prepare(&loop->sessions, sessions);
	if (poll(fds, array_size(fds),
		 lifecycle_wait_ms(lifecycle, monotonic_ms())) < 0) {
		if (errno != EINTR)
			check(loop, error_create_os(errno, "poll"));
		return;
	}
	// First: what follows may be the end of the streams.
	check(loop, guest_streams_move(&loop->streams, streams, &moved));
	if (moved || guest_streams_is_full(&loop->streams))
		tell(loop, EVENT_OUTPUT);
	for (size_t i = 0; i < array_size(sources); i++) {
		if (fds[i].revents)
			sources[i].handle(loop);
	}
	sessions_move(&loop->sessions, sessions);
	if (loop->sessions.is_stopped)
		check(loop,
		      error_create(ERROR_CANCELLED, "ended by vmtest-vm stop"));
	if (loop->console.panic)
		tell(loop, EVENT_PANIC);
	if (guest_streams_is_broken(&loop->streams))
		tell(loop, EVENT_UNREAD);
	if (guest_streams_is_flooded(&loop->streams))
		tell_flood(loop, loop->config->output_limit_bytes);
	else if (console_is_flooded(loop))
		tell_flood(loop, loop->config->console_limit_bytes);
	tell(loop, EVENT_TIME);
	if (guest_streams_is_flushed(&loop->streams))
		tell(loop, EVENT_FLUSHED);
}

struct error *guest_loop_run(const struct guest_config *config,
			     struct guest_plan *plan, struct run_result *ret)
{
	struct error *err;

	_cleanup_string_builder_ struct string_builder tail = { 0 };
	_cleanup_loop_ struct loop loop = {
		.config = config,
		.plan = plan,
		.servers_fd = plan->servers.count ? plan->servers.ended_fd : -1,
		.lifecycle = {
			.boot_limit_ms = lifecycle_boot_limit_ms(
				plan->qemu.accel != ACCEL_KVM,
				config->qemu.kernel->config),
			.timeout_ms = config->timeout_ms,
			.flood_remedy = config->flood_remedy,
			.kdump = config->qemu.kdump,
			.may_write = config->qemu.arguments.count > 0,
			.keeps = config->keep,
			.is_debugged = config->qemu.stub != STUB_NONE,
		},
		.link = QEMU_LINK_INIT,
		.terminal = TERMINAL_INIT,
		.evidence = EVIDENCE_INIT,
	};
	lifecycle_start(&loop.lifecycle, monotonic_ms());
	err = sessions_open(&loop.sessions, config, plan, &loop.lifecycle,
			    &loop.streams);
	if (err)
		return err;
	err = qemu_link_create(&plan->qemu, guest_ports(config), &loop.link);
	if (err)
		return err;
	guest_streams_init(&loop.streams, config, loop.link.port_fds);
	monitor_start(&loop.monitor, loop.link.monitor_fd);
	loop.sessions.monitor = &loop.monitor;
	send_setup(&loop);
	show_state(&loop);
	if (config->interactive) {
		err = terminal_take(&loop.terminal, config->stdin_fd);
		if (err)
			return err;
	}
	while (loop.lifecycle.state != LIFECYCLE_ENDED)
		loop_step(&loop);
	terminal_restore(&loop.terminal);
	process_destroy(take_ptr(loop.link.qemu));
	while (read_console(&loop))
		;
	if (loop.lifecycle.cause == CAUSE_CANCELLED)
		return take_ptr(loop.error);
	if (loop.lifecycle.cause == CAUSE_GUEST) {
		console_append_tail(&loop.console, CONSOLE_TAIL_LINES, &tail);
		if (tail.length)
			fputs(tail.text, stderr);
	}
	return compute_result(&loop, ret);
}
