// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/commands.h"

#include <stdio.h>

#include "bot/build/build_result.h"
#include "bot/cmd/publish.h"
#include "bot/cmd/run.h"
#include "bot/cmd/session.h"
#include "bot/plan/plan.h"
#include "bot/plan/prune.h"
#include "bot/report/report.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/string_builder.h"
#include "common/base/table.h"
#include "common/github/workflow_file.h"
#include "common/kernel/catalog.h"

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

/** Prune the store, which was just listed. */
static struct error *prune(struct session *session,
			   const struct command_context *context,
			   size_t *count_ret)
{
	const struct run_command_options *run_options = context->options;
	struct release_selection selection;

	*count_ret = 0;
	if (!run_options->keep)
		return NULL;
	command_selection(context, &selection);
	return prune_superseded(session->store, &session->assets,
				run_options->keep, &selection, count_ret);
}

/** There is nothing to build: leave the store as a run should leave it. */
static struct error *tidy(struct session *session,
			  const struct command_context *context)
{
	struct error *err;
	size_t pruned;

	err = prune(session, context, &pruned);
	if (err)
		return err;
	return pruned ? publish_page(session) : publish_repair_page(session);
}

/** The table, on stdout and in the step's summary. */
static struct error *report(const struct build_results *results,
			    size_t *failed_ret)
{
	struct error *err;

	*failed_ret = 0;
	for (size_t i = 0; i < results->count; i++)
		*failed_ret += results->items[i].outcome != BUILD_BUILT;
	_cleanup_table_ struct table table = { 0 };
	report_results(results, &table);
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	string_builder_appendf(&sb, "### Kernels: %zu published, %zu failed\n\n",
			       results->count - *failed_ret, *failed_ret);
	table_append_markdown(&sb, &table, WORKFLOW_SUMMARY_LIMIT);
	err = workflow_summary_write(sb.text);
	if (!err)
		table_print(&table);
	return err;
}

static struct error *execute(const struct command_context *context,
			     struct session *session, const struct plan *plan,
			     int *status_ret)
{
	struct error *err;
	const struct run_command_options *run_options = context->options;
	_cleanup_build_results_ struct build_results results = { 0 };
	_cleanup_free_ char *directory = NULL;
	size_t pruned, failed;

	err = command_directory(context, &directory);
	if (!err)
		err = run_plan_items(session, plan, directory,
				     run_options->jobs, &results);
	if (!err)
		err = report(&results, &failed);
	if (err)
		return err;
	*status_ret = failed ? 1 : 0;
	if (run_options->keep) {
		err = session_list(session);
		if (!err)
			err = prune(session, context, &pruned);
		if (err)
			return err;
	}
	return publish_page(session);
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
		return tidy(&session, context);
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
