// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/result.h"

#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/process/process.h"
#include "vm/guest/console.h"
#include "vm/guest/machine.h"
#include "vm/guest/qemu.h"
#include "vm/guest/run_result.h"

static char *explain_loss(const struct machine *machine, const char *panic,
			  const struct process_status *status)
{
	if (panic)
		return string_copy(panic);
	if (machine->cause == CAUSE_BOOT)
		return string_format(
			"the guest did not start the command within %llu seconds",
			(unsigned long long)machine->boot_limit_ms / 1000);
	if (machine->cause == CAUSE_DRAIN)
		return string_format(
			"the command has ended, but the guest did not finish within %d seconds",
			MACHINE_DRAIN_MS / 1000);
	if (machine->cause == CAUSE_RESTART)
		return string_format("the guest started more than %d kernels",
				     MACHINE_KERNEL_LIMIT);
	if (status->signal)
		return string_format("QEMU was killed by signal %d",
				     status->signal);
	if (status->exit_status)
		return string_format("QEMU exited with status %d",
				     status->exit_status);
	return string_copy(
		machine->cause == CAUSE_END_IN_BOOT
			? "the guest powered off before the command started"
			: "the guest powered off or rebooted before the command ended");
}

/** QEMU's own words, in one line. */
static struct error *qemu_error(const struct console *output)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;

	console_append_tail(output, CONSOLE_TAIL_LINES, &sb);
	text = string_builder_take(&sb);
	for (char *p = text; *p; p++) {
		if (*p == '\n')
			*p = p[1] ? ' ' : '\0';
	}
	if (qemu_lacks_machine(text))
		return error_create(ERROR_NOT_FOUND, "%s", text);
	return error_create(ERROR_OTHER, "QEMU did not start: %s",
			    *text ? text : "it said nothing");
}

struct error *result_compute(const struct machine *machine,
			     struct console *console,
			     const struct console *output,
			     const struct process_status *status,
			     const char *what, struct run_result *ret)
{
	bool wants_tail = machine->outcome == RUN_LOST;
	_cleanup_run_result_ struct run_result result = {
		.outcome = machine->outcome,
		.exit_status = machine->exit_status,
		.boot_ms = machine->boot_ms,
		.command_ms = machine->command_ms,
		.splat_count = console->splat_count,
	};
	_cleanup_string_builder_ struct string_builder log = STRING_BUILDER_INIT;

	if (machine->cause == CAUSE_QEMU)
		return qemu_error(output);
	if (machine->cause == CAUSE_GUEST)
		return error_create(ERROR_OTHER, "the guest could not %s", what);
	if (machine->outcome == RUN_LOST)
		result.reason = explain_loss(machine, console->panic, status);
	if (machine->outcome == RUN_TIMED_OUT) {
		result.reason =
			string_format("the command did not end within %llu seconds",
				      (unsigned long long)machine->timeout_ms /
					      1000);
		wants_tail = !console_append_tasks(console, &log);
	}
	if (wants_tail)
		console_append_tail(console, CONSOLE_TAIL_LINES, &log);
	result.log = string_builder_take(&log);
	result.splats = take(console->splats);
	*ret = take(result);
	return NULL;
}
