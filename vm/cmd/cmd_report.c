// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/cmd_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/string_builder.h"
#include "common/base/system.h"
#include "common/cli/command.h"
#include "common/github/workflow_command.h"
#include "common/github/workflow_file.h"
#include "vm/suite/logs.h"
#include "vm/suite/suite.h"
#include "vm/suite/suite_table.h"

enum {
	/** Of a failure's log. */
	REPORT_LINES = 200,
	REPORT_BYTES = 32 << 10,
};

void suite_report_init(struct suite_report *report,
		       const struct command_context *context,
		       char *const *command)
{
	bool in_workflow = workflow_is_active();
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	*report = (struct suite_report){
		.context = context,
		.in_workflow = in_workflow,
		.has_workflow_commands = in_workflow && !context->common->json,
	};
	for (char *const *word = command; *word; word++) {
		string_builder_append(&sb, word == command ? "" : " ");
		string_builder_append_shell(&sb, *word);
	}
	report->command = string_builder_take(&sb);
}

void suite_report_deinit(struct suite_report *report)
{
	string_list_deinit(&report->logs);
	free(report->command);
}

enum suite_view_kind suite_report_view(const struct suite_report *report)
{
	if (report->has_workflow_commands)
		return SUITE_VIEW_GROUPS;
	if (foreground_has_terminal(STDERR_FILENO) && log_level() >= LOG_INFO)
		return SUITE_VIEW_LIVE;
	return SUITE_VIEW_LINES;
}

struct error *suite_report_load(struct suite_report *report,
				const struct suite *suite)
{
	report->suite = suite;
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];
		const char *path = suite_state_is_failure(item->state)
					   ? item->log_path
					   : NULL;
		_cleanup_free_ char *text =
			logs_tail(path, REPORT_LINES, REPORT_BYTES);

		string_list_add(&report->logs, text);
	}
	return NULL;
}

struct error *suite_report_print(struct string_builder *sb)
{
	_cleanup_free_ char *text = NULL;

	text = string_builder_take(sb);
	fputs(text, stdout);
	return NULL;
}

struct error *suite_report_write_summary(const struct suite_report *report,
					 const char *text)
{
	struct error *err;

	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *summary = NULL;
	size_t room_bytes;

	err = workflow_summary_room(&room_bytes);
	if (err || !room_bytes)
		return err;
	suite_table_append_summary(&sb, report->command, text, report->suite,
				   &report->logs, room_bytes);
	summary = string_builder_take(&sb);
	return workflow_summary_write(summary);
}
