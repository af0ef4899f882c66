// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/commands.h"

#include <stdio.h>

#include "bot/plan.h"
#include "bot/prune.h"
#include "bot/publish.h"
#include "bot/report.h"
#include "bot/run.h"
#include "bot/session.h"
#include "common/catalog.h"
#include "common/error.h"
#include "common/log.h"
#include "common/workflow_file.h"

struct run_command_options {
	struct selection_options selection;
	unsigned int jobs;
	unsigned int keep;
	bool dry_run;
};

#define OFFSET(field) offsetof(struct run_command_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 'j', "jobs", "N", "compilers at once (default: one a processor)", OPTION_NUMBER, OFFSET(jobs) },
	{ 0, "keep", "N", "prune all but the newest N of each series, flavor and architecture (default: keep all)", OPTION_NUMBER, OFFSET(keep) },
	{ 0, "dry-run", NULL, "only list what would be built", OPTION_FLAG, OFFSET(dry_run) },
	{ 0 },
};
// clang-format on

static struct error *prune(struct session *session,
			   const struct command_context *context,
			   unsigned int keep)
{
	struct error *err;
	struct release_selection selection;

	command_selection(context, &selection);
	err = session_list(session);
	if (!err)
		err = prune_superseded(session->store, &session->assets, keep,
				       &selection);
	return err;
}

static struct error *execute(const struct command_context *context,
			     struct session *session, const struct plan *plan,
			     int *status_ret)
{
	struct error *err;
	const struct run_command_options *run_options = context->options;
	_cleanup_report_ struct report report = { 0 };
	_cleanup_free_ char *directory = NULL, *table = NULL, *markdown = NULL;

	err = command_directory(context, &directory);
	if (!err)
		err = run_plan_items(session, plan, directory,
				     run_options->jobs, &report);
	if (err)
		return err;
	err = report_format(&report, &table);
	if (!err)
		err = report_format_markdown(&report, &markdown);
	if (!err)
		err = workflow_summary_write(markdown);
	if (err)
		return err;
	fputs(table, stdout);
	*status_ret = report.failed ? 1 : 0;
	if (run_options->keep)
		err = prune(session, context, run_options->keep);
	if (!err)
		err = publish_page(session);
	return err;
}

static struct error *run_run(const struct command_context *context,
			     int *status_ret)
{
	struct error *err;
	const struct run_command_options *run_options = context->options;
	_cleanup_session_ struct session session = { 0 };
	_cleanup_plan_ struct plan plan = { 0 };
	_cleanup_prune_list_ struct prune_list superseded = { 0 };
	struct plan_selection selection;

	err = session_init(&session, context);
	if (err)
		return err;
	session_selection(context, &selection);
	err = session_plan(&session, &selection, &plan);
	if (err)
		return err;
	session_report_plan(&session, &plan);
	*status_ret = 0;
	err = session_make_room(&session, &plan, run_options->keep, &superseded);
	if (run_options->dry_run) {
		if (err)
			log_warning("%s", error_message(err));
		error_destroy(err);
		session_print_plan(&plan);
		return NULL;
	}
	if (!err)
		err = prune_execute(session.store, &superseded);
	if (err)
		return err;
	if (plan.count == 0)
		return run_options->keep
			       ? prune(&session, context, run_options->keep)
			       : NULL;
	return execute(context, &session, &plan, status_ret);
}

const struct command cmd_run = {
	.name = "run",
	.arguments = "",
	.summary = "build, boot and publish the kernels that the store lacks",
	.details = "A kernel that fails does not stop the others: a table at the end says what\n"
		   "became of each, and the exit status is 1 if any failed.",
	.options = options,
	.shared_options = selection_option_table,
	.options_size = sizeof(struct run_command_options),
	.run = run_run,
};
