// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "vm/guest/guest_extras.h"
#include "vm/guest/setup.h"

struct error *guest_session_send_setup(struct guest_session *session)
{
	struct error *err;

	const struct guest_config *config = session->config;
	struct setup setup = {
		.shares = session->shares,
		.directory = config->directory ? config->directory : "/",
		.environment = &session->extras->environment,
		.command = config->command,
		.has_stdin = guest_link_has_port(config, PORT_STDIN),
		.has_stdout = guest_link_has_port(config, PORT_STDOUT),
		.has_stderr = guest_link_has_port(config, PORT_STDERR),
		.joins_stderr = config->stderr_fd == config->stdout_fd,
		.module = session->extras->module,
	};
	_cleanup_free_ char *terminal = NULL;
	_cleanup_free_ char *text = NULL;

	if (config->interactive) {
		terminal = path_join("/dev", config->arch->terminal);
		setup.terminal = terminal;
		terminal_size(config->stdout_fd, &setup.rows, &setup.columns);
	}
	err = setup_format(&setup, &text);
	if (err)
		return err;
	return relay_feed(&session->control, text, strlen(text));
}

/**
 * init.sh has begun, and asks what to do. In a guest's first kernel, the answer
 * is waiting for it already.
 */
static struct error *begin_boot(struct guest_session *session)
{
	if (!session->boots++ || session->phase == PHASE_DUMP)
		return NULL;
	log_info("%s; the crash kernel runs the command again",
		 session->console.panic ? session->console.panic
					: "the kernel has crashed");
	console_restart(&session->console);
	guest_session_enter_phase(session, PHASE_BOOT);
	return guest_session_send_setup(session);
}

static struct error *take_line(struct guest_session *session)
{
	static const char exit_word[] = "exit ";
	static const char fail_word[] = "fail ";
	const char *line = session->line;

	log_debug("guest: %s", line);
	if (strcmp(line, "hello") == 0)
		return begin_boot(session);
	if (strcmp(line, "ready") == 0 && session->phase == PHASE_BOOT)
		guest_session_enter_phase(session, PHASE_COMMAND);
	if (strcmp(line, "done") == 0 && session->phase == PHASE_DRAIN)
		guest_session_enter_phase(session, PHASE_DONE);
	if (strncmp(line, exit_word, strlen(exit_word)) == 0 &&
	    session->phase == PHASE_COMMAND) {
		session->result.exit_status =
			(int)strtol(line + strlen(exit_word), NULL, 10);
		guest_session_enter_phase(session, PHASE_DRAIN);
	}
	if (strncmp(line, fail_word, strlen(fail_word)) == 0 &&
	    !session->failure) {
		session->failure = string_copy(line + strlen(fail_word));
	}
	return NULL;
}

struct error *guest_session_read_control(struct guest_session *session)
{
	struct error *err;
	char data[512];
	ssize_t n;

	while ((n = read(session->link.port_fds[PORT_CONTROL], data,
			 sizeof(data))) > 0) {
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
			err = take_line(session);
			if (err)
				return err;
		}
	}
	return NULL;
}
