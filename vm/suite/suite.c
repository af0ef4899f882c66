// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/text.h"
#include "vm/guest/guest.h"

const char *const suite_state_names[] = {
	[SUITE_WAITING] = "waiting",
	[SUITE_DOWNLOADING] = "downloading",
	[SUITE_BUILDING] = "building",
	[SUITE_RUNNING] = "running",
	[SUITE_PASSED] = "passed",
	[SUITE_FLAKY] = "flaky",
	[SUITE_EXPECTED_FAILURE] = "failed as expected",
	[SUITE_UNEXPECTED_PASS] = "passed unexpectedly",
	[SUITE_FAILED] = "failed",
	[SUITE_TIMED_OUT] = "timed out",
	[SUITE_LOST] = "lost",
	[SUITE_NOT_RUN] = "not run",
	[SUITE_INTERRUPTED] = "interrupted",
};

const char *const suite_phase_names[] = {
	[SUITE_DOWNLOAD] = "download", [SUITE_UNPACK] = "unpack",
	[SUITE_MODULE] = "module",     [SUITE_BOOT] = "boot",
	[SUITE_COMMAND] = "command",
};

unsigned int suite_jobs(unsigned int processors, uint64_t available_bytes,
			uint64_t guest_bytes)
{
	uint64_t room = available_bytes / guest_bytes;

	if (room > processors)
		room = processors;
	return room ? (unsigned int)room : 1;
}

void suite_deinit(struct suite *suite)
{
	for (size_t i = 0; i < suite->count; i++) {
		free(suite->items[i].kernel);
		free(suite->items[i].path);
		free(suite->items[i].reason);
		free(suite->items[i].file);
		free(suite->items[i].log_path);
		free(suite->items[i].console_path);
		free(suite->items[i].log_end);
		ktap_destroy(suite->items[i].tests);
	}
	free(suite->items);
	*suite = (struct suite){ 0 };
}

void suite_item_explain(struct suite_item *item, const char *format, ...)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = string_vformat(format, ap);
	va_end(ap);
	// Much of it comes from guests.
	text_append_plain(&sb, text, strcspn(text, "\n"));
	free(item->reason);
	item->reason = string_builder_take(&sb);
}

static enum suite_state pass_of(const struct suite_item *item)
{
	return item->attempts > 1 ? SUITE_FLAKY : SUITE_PASSED;
}

/** Judge a success during which the kernel has complained. */
static void judge_splats(struct suite_item *item, const struct run_result *result,
			 const struct expectations *expected)
{
	const struct expectation *row = NULL;
	bool holds = true;

	for (size_t i = 0; i < result->splats.count && holds; i++) {
		const char *splat = result->splats.items[i];

		row = expectation_find(expected->splats, item, splat,
				       expected->today, &holds);
		if (row)
			suite_item_explain(item, "%s until %s, %s: %s",
					   holds ? "ignored" : "was ignored",
					   row->until, row->reason, splat);
		else
			suite_item_explain(item, "the kernel reported: %s",
					   splat);
	}
	if (holds && result->splat_count > result->splats.count) {
		holds = false;
		suite_item_explain(item,
				   "the kernel reported %zu splats, of which the first %zu are ignored",
				   result->splat_count, result->splats.count);
	}
	if (holds)
		item->state = pass_of(item);
}

/** Whether it was to fail. */
static void judge_failure(struct suite_item *item,
			  const struct expectations *expected)
{
	bool holds;
	const struct expectation *row =
		expectation_find(expected->failures, item, NULL,
				 expected->today, &holds);

	if (!row || item->state == SUITE_WAITING || item->state == SUITE_NOT_RUN)
		return;
	if (suite_state_is_failure(item->state)) {
		_cleanup_free_ char *reason = take_ptr(item->reason);

		suite_item_explain(item, "%s; %s until %s: %s", reason,
				   holds ? "expected" : "was expected",
				   row->until, row->reason);
		if (holds)
			item->state = SUITE_EXPECTED_FAILURE;
	} else if (holds) {
		suite_item_explain(item, "was to fail until %s: %s", row->until,
				   row->reason);
		item->state = SUITE_UNEXPECTED_PASS;
	}
}

void suite_item_conclude(struct suite_item *item, const struct run_result *result,
			 const struct expectations *expected)
{
	static const enum suite_state states_of[] = {
		[RUN_EXITED] = SUITE_FAILED,
		[RUN_TIMED_OUT] = SUITE_TIMED_OUT,
		[RUN_LOST] = SUITE_LOST,
		[RUN_NOT_RUN] = SUITE_NOT_RUN,
	};
	const char *reason = result->reason ? result->reason : "unknown";

	item->phase_ms[SUITE_BOOT] = result->boot_ms;
	item->phase_ms[SUITE_COMMAND] = result->command_ms;
	free(item->file);
	item->file = string_copy(result->file);
	item->line = result->line;
	item->state = states_of[result->outcome];
	if (result->outcome == RUN_EXITED) {
		item->exit_status = result->exit_status;
		if (!result->status)
			item->state = pass_of(item);
		else if (result->reason)
			suite_item_explain(item, "%s", result->reason);
		else if (result->exit_status || !result->splats.count)
			suite_item_explain(item, "exit status %d",
					   result->status);
		else
			judge_splats(item, result, expected);
	} else if (item->state == SUITE_LOST && item->attempts == 1) {
		item->state = SUITE_WAITING;
		suite_item_explain(item, "lost at first: %s", reason);
	} else {
		suite_item_explain(item, "%s", reason);
	}
	suite_item_judge_tests(item);
	judge_failure(item, expected);
}

void suite_item_merge(struct suite_item *item, struct suite_item *next)
{
	const bool has_run = next->state != SUITE_INTERRUPTED;
	const unsigned int runs = item->runs + has_run;
	const unsigned int failed_runs =
		item->failed_runs +
		(has_run && suite_state_is_failure(next->state));
	const unsigned int guests = next->guests;

	if (!item->runs || (has_run && next->state > item->state)) {
		struct suite_item better = *item;

		*item = *next;
		*next = better;
	}
	item->runs = runs;
	item->failed_runs = failed_runs;
	item->guests = guests;
}

uint64_t suite_item_total_ms(const struct suite_item *item)
{
	uint64_t total = 0;

	for (size_t i = 0; i < SUITE_PHASE_COUNT; i++)
		total += item->phase_ms[i];
	return total;
}
