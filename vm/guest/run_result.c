// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/process/process.h"
#include "vm/crash/trace.h"
#include "vm/guest/guest_internal.h"
#include "vm/qemu/qemu.h"

static const char *const outcome_names[] = {
	[RUN_EXITED] = "exited",
	[RUN_TIMED_OUT] = "timed_out",
	[RUN_LOST] = "lost",
	[RUN_NOT_RUN] = "not_run",
};

const char *run_outcome_name(enum run_outcome outcome)
{
	return outcome_names[outcome];
}

void run_result_deinit(struct run_result *result)
{
	free(result->release);
	free(result->reason);
	free(result->log);
	free(result->report);
	free(result->dump);
	free(result->file);
	string_list_deinit(&result->splats);
	string_list_deinit(&result->traces);
	*result = (struct run_result){ 0 };
}

static char *explain_flood(const struct lifecycle *lifecycle)
{
	const char *remedy = lifecycle->flood_remedy;

	return string_format("the guest has written more than %llu MB, and was ended%s%s",
			     (unsigned long long)lifecycle->flood_bytes >> 20,
			     remedy ? "; " : "", remedy ? remedy : "");
}

static char *explain_loss(const struct lifecycle *lifecycle, const char *panic,
			  const struct process_status *status, const char *what)
{
	if (lifecycle->cause == CAUSE_PROTOCOL)
		return string_format(
			"the guest broke the protocol of its control port, which only vmtest's init may use: it said '%s'",
			what);
	if (lifecycle->cause == CAUSE_FLOOD)
		return explain_flood(lifecycle);
	if (panic)
		return string_copy(panic);
	if (lifecycle->cause == CAUSE_BOOT)
		return string_format(
			"the guest did not start the command within %llu seconds",
			(unsigned long long)lifecycle->boot_limit_ms / 1000);
	if (lifecycle->cause == CAUSE_DRAIN)
		return string_format(
			"the command has ended, but the guest did not finish within %d seconds",
			LIFECYCLE_DRAIN_MS / 1000);
	if (lifecycle->cause == CAUSE_SERVER)
		return string_copy(
			"virtiofsd has ended, which serves files; for --rw, VMTEST_VIRTIOFSD=none takes 9p instead");
	if (status->signal)
		return process_status_text(status, "QEMU");
	if (status->exit_status)
		return string_format("QEMU exited with status %d",
				     status->exit_status);
	return string_copy(
		lifecycle->cause == CAUSE_END_IN_BOOT
			? "the guest powered off before the command started"
			: "the guest powered off or rebooted before the command ended");
}

/** QEMU's own words, in one line. */
static struct error *qemu_error(const struct console *output)
{
	struct string_builder sb = { 0 };

	console_append_tail(output, CONSOLE_TAIL_LINES, &sb);

	_cleanup_free_ char *text = string_builder_take(&sb);

	for (char *p = text; (p = strchr(p, '\n'));)
		*p = p[1] ? ' ' : '\0';
	if (qemu_lacks_machine(text))
		return error_create(ERROR_NOT_FOUND, "%s", text);
	if (qemu_lacks_sandbox(text))
		return error_create(ERROR_RETRY, "QEMU did not start: %s", text);
	if (qemu_lacks_9p(text))
		return error_create(ERROR_OTHER,
				    "this QEMU has no 9p, by which guests see files: install your distribution's qemu-system, or set VMTEST_QEMU to one that is built with --enable-virtfs (%s)",
				    text);
	if (strstr(text, "'vhost-user-fs-pci' is not a valid device"))
		return error_create(ERROR_OTHER,
				    "this QEMU has no virtiofs, which serves files; for --rw, VMTEST_VIRTIOFSD=none takes 9p instead (%s)",
				    text);
	return error_create(ERROR_OTHER, "QEMU did not start: %s",
			    *text ? text : "it said nothing");
}

struct error *run_result_compute(const struct lifecycle *lifecycle,
				 struct console *console,
				 const struct console *output,
				 const struct process_status *status,
				 const char *what, struct run_result *ret)
{
	bool has_tasks = false;
	_cleanup_string_builder_ struct string_builder log = { 0 };
	char *reason = NULL;

	if (lifecycle->cause == CAUSE_QEMU)
		return qemu_error(output);
	if (lifecycle->cause == CAUSE_GUEST)
		return error_create(ERROR_OTHER, "the guest could not %s", what);
	if (lifecycle->outcome == RUN_LOST)
		reason = explain_loss(lifecycle, console->panic, status, what);
	if (lifecycle->outcome == RUN_EXITED && lifecycle->cause == CAUSE_FLOOD)
		reason = explain_flood(lifecycle);
	if (lifecycle->outcome == RUN_TIMED_OUT) {
		reason = string_format("the command did not end within %llu seconds",
				       (unsigned long long)lifecycle->timeout_ms /
					       1000);
		has_tasks = console_append_tasks(console, &log);
	}
	if (reason && !has_tasks)
		console_append_tail(console, CONSOLE_TAIL_LINES, &log);
	struct string_list traces = { 0 };
	for (size_t i = 0; i < CONSOLE_TRACE_LIMIT && i < console->splats.count;
	     i++) {
		_cleanup_string_builder_ struct string_builder trace = { 0 };

		console_append_trace(console, i, &trace);
		string_list_add(&traces, trace.text ? trace.text : "");
	}
	*ret = (struct run_result){
		.outcome = lifecycle->outcome,
		.exit_status = lifecycle->exit_status,
		.reason = reason,
		.log = string_builder_take(&log),
		.boot_ms = lifecycle->boot_ms,
		.command_ms = lifecycle->command_ms,
		.splats = take(console->splats),
		.traces = traces,
		.splat_count = console->splat_count,
		.full = lifecycle->full,
	};
	return NULL;
}

// clang-format off
static const struct value_row decoded_rows[] = {
	VALUE_REQUIRED("splats", value_strings, struct run_result, splats),
	VALUE_REQUIRED("traces", value_strings, struct run_result, traces),
	VALUE_REQUIRED("log", value_copy, struct run_result, log),
	VALUE_REQUIRED("report", value_copy, struct run_result, report),
	VALUE_OPTIONAL("file", value_copy, struct run_result, file),
	VALUE_OPTIONAL_NUMBER("line", 1, INT_MAX, struct run_result, line),
};
// clang-format on

/** What was decoded is not trusted. */
static void take_decoded(struct run_result *result, struct run_result *decoded)
{
	const struct {
		struct string_list *to, *from;
	} lists[] = { { &result->splats, &decoded->splats },
		      { &result->traces, &decoded->traces } };
	char **texts[][2] = { { &result->log, &decoded->log },
			      { &result->report, &decoded->report } };

	for (size_t i = 0; i < array_size(lists); i++) {
		for (size_t j = 0; j < lists[i].from->count; j++)
			text_make_safe(lists[i].from->items[j]);
		string_list_deinit(lists[i].to);
		*lists[i].to = take(*lists[i].from);
	}
	for (size_t i = 0; i < array_size(texts); i++) {
		if (!*texts[i][0])
			continue;
		free(*texts[i][0]);
		*texts[i][0] = text_make_safe(take_ptr(*texts[i][1]));
	}
	if (decoded->file)
		result->file = text_make_line(take_ptr(decoded->file), '?');
	result->line = decoded->line;
}

void run_result_decode(struct run_result *result,
		       const struct trace_source *source)
{
	_cleanup_free_ char *texts =
		json_text(json_pack("{s:o, s:o, s:o, s:o, s:b}", "splats",
				    strings_json(&result->splats), "traces",
				    strings_json(&result->traces), "log",
				    text_json(result->log), "report",
				    text_json(result->report), "is_lost",
				    result->outcome == RUN_LOST),
			  0);
	_cleanup_free_ char *output = NULL;
	_cleanup_value_ struct value document = { 0 };
	_cleanup_run_result_ struct run_result decoded = { 0 };

	if (!strstr(texts, "+0x") || !process_program_exists("eu-addr2line"))
		return;
	_cleanup_error_ struct error *err = trace_decode(source, texts, &output);

	if (!err)
		err = value_parse(output, strlen(output), "trace.py",
				  ERROR_OTHER, &document);
	if (!err)
		err = value_read(&document, decoded_rows,
				 array_size(decoded_rows), &decoded);
	// What the kernel said is good, too.
	if (err || decoded.splats.count != result->splats.count ||
	    decoded.traces.count != result->traces.count)
		log_debug("traces are not decoded: %s",
			  err ? error_message(err) : "texts are missing");
	else
		take_decoded(result, &decoded);
}

/** A number, or null where there is none. */
static json_t *optional(bool exists, uint64_t value)
{
	return exists ? json_integer((json_int_t)value) : json_null();
}

int run_result_status(const struct run_result *result, unsigned int lost_status,
		      bool fail_on_splat)
{
	if (result->outcome == RUN_TIMED_OUT)
		return RUN_STATUS_TIMED_OUT;
	if (result->outcome != RUN_EXITED)
		return (int)lost_status;
	if (fail_on_splat && result->splat_count && !result->exit_status)
		return RUN_STATUS_SPLAT;
	return result->exit_status;
}

char *run_result_format(const struct run_result *result)
{
	bool exited = result->outcome == RUN_EXITED;
	bool booted = result->boot_ms > 0;

	return json_text(
		json_pack("{s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I}",
			  "release", text_json(result->release), "outcome",
			  outcome_names[result->outcome], "status",
			  result->status, "exit_status",
			  optional(exited, (uint64_t)result->exit_status),
			  "reason", text_json(result->reason), "boot_ms",
			  optional(booted, result->boot_ms), "command_ms",
			  optional(booted, result->command_ms), "splats",
			  strings_json(&result->splats), "file",
			  text_json(result->file), "line",
			  optional(result->file, result->line), "dump",
			  text_json(result->dump), "splat_count",
			  (json_int_t)result->splat_count),
		JSON_INDENT(2));
}

// clang-format off
static const struct value_row rows[] = {
	VALUE_OPTIONAL("release", value_copy, struct run_result, release),
	VALUE_NAME("outcome", outcome_names, struct run_result, outcome),
	VALUE_NUMBER("status", INT_MIN, INT_MAX, struct run_result, status),
	VALUE_OPTIONAL_NUMBER("exit_status", INT_MIN, INT_MAX, struct run_result, exit_status),
	VALUE_OPTIONAL("reason", value_copy, struct run_result, reason),
	VALUE_OPTIONAL_NUMBER("boot_ms", 0, INT64_MAX, struct run_result, boot_ms),
	VALUE_OPTIONAL_NUMBER("command_ms", 0, INT64_MAX, struct run_result, command_ms),
	VALUE_REQUIRED("splats", value_strings, struct run_result, splats),
	VALUE_OPTIONAL("file", value_copy, struct run_result, file),
	VALUE_OPTIONAL_NUMBER("line", 1, INT_MAX, struct run_result, line),
	VALUE_OPTIONAL("dump", value_copy, struct run_result, dump),
	VALUE_NUMBER("splat_count", 0, INT_MAX, struct run_result, splat_count),
};
// clang-format on

struct error *run_result_parse(const char *text, const char *name,
			       struct run_result *ret)
{
	struct error *err;

	_cleanup_value_ struct value document = { 0 };
	_cleanup_run_result_ struct run_result result = { 0 };

	err = value_parse(text, strlen(text), name, ERROR_OTHER, &document);
	if (err)
		return err;
	err = value_read(&document, rows, array_size(rows), &result);
	if (err)
		return err;
	*ret = take(result);
	return NULL;
}
