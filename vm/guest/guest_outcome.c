// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/process/process.h"
#include "vm/guest/qemu.h"

void guest_result_deinit(struct guest_result *result)
{
	free(result->reason);
	free(result->log);
	string_list_deinit(&result->splats);
	*result = (struct guest_result){ 0 };
}

static _printf_(2, 3) struct error *set_reason(struct guest_session *session,
					       const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&session->result.reason, format, ap) < 0)
		session->result.reason = NULL;
	va_end(ap);
	if (!session->result.reason)
		memory_exhausted();
	return NULL;
}

/** @param[in] status How QEMU ended; NULL if it runs. */
static struct error *explain_loss(struct guest_session *session,
				  const struct process_status *status)
{
	bool booting = session->phase == PHASE_BOOT;

	if (session->console.panic)
		return set_reason(session, "%s", session->console.panic);
	if (!status && booting)
		return set_reason(
			session,
			"the guest did not start the command within %llu seconds",
			(unsigned long long)session->boot_limit_ms / 1000);
	if (!status)
		return set_reason(session,
				  "the command has ended, but the guest did not finish within %d seconds",
				  GUEST_DRAIN_LIMIT_MS / 1000);
	if (status->signal)
		return set_reason(session, "QEMU was killed by signal %d",
				  status->signal);
	if (status->exit_status)
		return set_reason(session, "QEMU exited with status %d",
				  status->exit_status);
	return set_reason(
		session,
		booting ? "the guest powered off before the command started"
			: "the guest powered off or rebooted before the command ended");
}

/** QEMU's own words, in one line. */
static struct error *qemu_error(struct guest_session *session)
{
	_cleanup_free_ char *text = NULL;

	text = string_builder_take(&session->output);
	for (char *p = text; *p; p++) {
		if (*p == '\n')
			*p = p[1] ? ' ' : '\0';
	}
	if (qemu_lacks_machine(text))
		return error_create(ERROR_NOT_FOUND, "%s", text);
	return error_create(ERROR_OTHER, "QEMU did not start: %s",
			    *text ? text : "it said nothing");
}

static struct error *conclude_lost(struct guest_session *session, bool ended)
{
	struct error *err;
	struct process_status status = { 0 };

	session->result.outcome = GUEST_LOST;
	if (!ended)
		return explain_loss(session, NULL);
	guest_session_read_console(session);
	guest_session_read_output(session);
	err = process_wait(session->qemu, 0, &status);
	if (err)
		return err;
	if (session->phase == PHASE_BOOT && !session->console.length &&
	    (status.exit_status || status.signal))
		return qemu_error(session);
	return explain_loss(session, &status);
}

struct error *guest_session_conclude(struct guest_session *session, bool ended)
{
	if (session->phase == PHASE_DONE)
		return NULL;
	if (session->phase != PHASE_DUMP || ended)
		return conclude_lost(session, ended);
	session->result.outcome = GUEST_TIMED_OUT;
	return set_reason(session, "the command did not end within %llu seconds",
			  (unsigned long long)session->config->timeout_ms / 1000);
}

struct error *guest_session_take_result(struct guest_session *session,
					struct guest_result *ret)
{
	struct guest_result *result = &session->result;
	struct console *console = &session->console;
	bool wants_tail = result->outcome == GUEST_LOST;

	_cleanup_string_builder_ struct string_builder log = STRING_BUILDER_INIT;

	guest_session_read_console(session);
	if (result->outcome == GUEST_TIMED_OUT)
		wants_tail = !console_append_tasks(console, &log);
	if (wants_tail)
		console_append_tail(console, CONSOLE_TAIL_LINES, &log);
	result->log = string_builder_take(&log);
	result->splats = console->splats;
	result->splat_count = console->splat_count;
	console->splats = (struct string_list)STRING_LIST_INIT;
	*ret = *result;
	*result = (struct guest_result){ 0 };
	return NULL;
}

void guest_session_print_tail(const struct guest_session *session)
{
	_cleanup_string_builder_ struct string_builder log = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;

	console_append_tail(&session->console, CONSOLE_TAIL_LINES, &log);
	// What is shown beside an error is no reason for another.
	text = string_builder_take(&log);
	if (text)
		fputs(text, stderr);
}
