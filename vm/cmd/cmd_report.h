// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_CMD_CMD_REPORT_H
#define VM_CMD_CMD_REPORT_H

/**
 * @file
 *
 * What commands that run one command under many kernels say of it: to people,
 * and to GitHub Actions if it runs them.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"
#include "common/base/string_list.h"
#include "vm/suite/suite_view.h"

struct command_context;
struct error;
struct string_builder;
struct suite;

struct suite_report {
	const struct command_context *context;
	/** What is run, as one would type it. */
	char *command;
	/** Whether GitHub Actions runs us. */
	bool in_workflow;
	/** Whether stdout is for workflow commands too, not for JSON alone. */
	bool has_workflow_commands;
	/** Of suite_report_load(): borrowed. */
	const struct suite *suite;
	/** The ends of the failures' logs; "" for the others. */
	struct string_list logs;
};

/** @param[in] command Ended by NULL; borrowed for the call. */
void suite_report_init(struct suite_report *report,
		       const struct command_context *context,
		       char *const *command);

void suite_report_deinit(struct suite_report *report);

#define _cleanup_suite_report_ _cleanup_(suite_report_deinit)

/** How to show what goes on. */
enum suite_view_kind suite_report_view(const struct suite_report *report);

/** Take what has become of a suite, and read the logs of its failures. */
_must_check_ struct error *suite_report_load(struct suite_report *report,
					     const struct suite *suite);

/** Write text to stdout. The builder is empty afterwards. */
_must_check_ struct error *suite_report_print(struct string_builder *sb);

/**
 * In a workflow, append the suite that was loaded to the step's summary, as
 * much as there is room for.
 *
 * @param[in] text A sentence on the whole; NULL for none.
 */
_must_check_ struct error *
suite_report_write_summary(const struct suite_report *report, const char *text);

#endif /* VM_CMD_CMD_REPORT_H */
