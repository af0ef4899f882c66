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

void suite_item_conclude(struct suite_item *item, const struct run_result *result)
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
			item->state = item->attempts > 1 ? SUITE_FLAKY
							 : SUITE_PASSED;
		else if (result->reason)
			suite_item_explain(item, "%s", result->reason);
		else if (result->exit_status || !result->splats.count)
			suite_item_explain(item, "exit status %d",
					   result->status);
		else
			suite_item_explain(item, "the kernel reported: %s",
					   result->splats.items[0]);
	} else if (item->state == SUITE_LOST && item->attempts == 1) {
		item->state = SUITE_WAITING;
		suite_item_explain(item, "lost at first: %s", reason);
	} else {
		suite_item_explain(item, "%s", reason);
	}
}

uint64_t suite_item_total_ms(const struct suite_item *item)
{
	uint64_t total = 0;

	for (size_t i = 0; i < SUITE_PHASE_COUNT; i++)
		total += item->phase_ms[i];
	return total;
}
