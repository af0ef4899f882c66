// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bot/build/build.h"
#include "bot/report/report.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/github/github.h"
#include "common/github/workflow.h"
#include "common/kernel/catalog.h"

struct finish_options {
	const char *plan;
	const char *results;
	unsigned int keep, keep_days;
	bool issues;
};

#define INTO(type, field) OPTION_INTO(type, struct finish_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 0, "plan", "FILE", "what was planned, as 'plan --output' writes it, or a job matrix", INTO(OPTION_STRING, plan) },
	{ 0, "results", "DIR", "directory with the files of 'build --result', at any depth", INTO(OPTION_STRING, results) },
	{ 0, "keep", "N", "prune all but the newest N of each series, flavor and architecture (default: keep all)", INTO(OPTION_NUMBER, keep), .min = 1, .otherwise = KEEP_ALL },
	{ 0, "keep-days", "N", "keep also what has been superseded for less than N days (default: 2)", INTO(OPTION_NUMBER, keep_days), .otherwise = KEEP_DAYS_DEFAULT },
	{ 0, "issues", NULL, "open, update and close an issue on GitHub for each series that fails", INTO(OPTION_FLAG, issues) },
	{ 0 },
};
// clang-format on

/** Where issues go: where the workflow runs, else where the store is. */
static struct error *find_repository(const struct store *store, char **ret)
{
	static const char prefix[] = "github:";
	const char *name = session_repository(), *place = store_name(store);

	if (name) {
		*ret = string_copy(name);
		return NULL;
	}
	if (strncmp(place, prefix, strlen(prefix)) != 0)
		return error_create(ERROR_USAGE,
				    "--issues: %s is in no repository of GitHub",
				    place);
	place += strlen(prefix);
	*ret = string_copy_n(place, strcspn(place, "@"));
	return NULL;
}

/** Read what was planned, and what came of it. */
static struct error *load(struct session *session, struct build_results *results)
{
	struct error *err;

	const struct finish_options *finish = session->context->options;
	if (!finish->plan || !finish->results)
		return error_create(
			ERROR_USAGE,
			"say what was planned and what came of it, with --plan and --results");
	err = session_read_plan(session, finish->plan);
	if (err)
		return err;
	return error_wrap(build_results_load(finish->results, results),
			  "--results");
}

/** List the store, which is to have what was built, and so was published. */
static struct error *list_published(struct session *session,
				    const struct build_results *results)
{
	enum {
		LIMIT_MS = 15000,
	};
	_cleanup_string_list_ struct string_list names = { 0 };

	for (size_t i = 0; i < session->plan.count; i++) {
		const struct plan_item *item = &session->plan.items[i];
		const struct build_result *result = build_results_find(
			results, &item->release, item->arch->name);
		char name[PACKAGE_NAME_SIZE];

		if (!result || result->outcome != BUILD_BUILT)
			continue;
		package_name_format(item->release_text, item->arch->name, name);
		string_list_add(&names, name);
	}
	return session_list_until(session, &names, LIMIT_MS);
}

/** In a workflow, show failures above the run's logs. */
static void annotate(const struct verdict_list *verdicts)
{
	if (!workflow_is_active() || !verdicts->counts[VERDICT_FAILED])
		return;
	_cleanup_string_list_ struct string_list titles = { 0 };
	_cleanup_string_list_ struct string_list reasons = { 0 };
	for (size_t i = 0; i < verdicts->count; i++) {
		const struct verdict *verdict = &verdicts->items[i];

		if (verdict->kind != VERDICT_FAILED)
			continue;
		_cleanup_free_ char *title =
			report_title(verdict->item, verdict->phase);
		string_list_add(&titles, title);
		const char *log = verdict->result ? verdict->result->log : NULL;
		string_list_addf(&reasons, "%s%s%s", verdict->reason,
				 log && *log ? "\n" : "", log ? log : "");
	}
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	workflow_append_errors(&sb, &titles, &reasons, NULL);
	fputs(sb.text, stderr);
}

static struct error *update_issues(const struct session *session,
				   const char *repository,
				   const struct verdict_list *verdicts)
{
	struct error *err;
	const struct command_context *context = session->context;

	const char *server = command_variable("GITHUB_SERVER_URL");
	const char *runs_in = session_repository();
	const char *run = session_run();
	_cleanup_free_ char *run_url =
		server && runs_in && run ? string_format("%s/%s/actions/runs/%s",
							 server, runs_in, run)
					 : NULL;
	_cleanup_github_ struct github github = { 0 };
	err = github_init(&github, repository, context->http);
	struct issue_facts facts = {
		.github = &github,
		.catalog = context->catalog,
		.store = context->store,
		.assets = &session->assets,
		.verdicts = verdicts,
		.failures = &session->failures,
		.run_url = run_url,
	};
	if (!err)
		err = issues_update(&facts);
	// As in a fork, unless somebody turns them on.
	if (!error_is(err, ERROR_NOT_FOUND))
		return error_wrap(err, "--issues");
	log_warning("--issues: %s", error_message(err));
	workflow_log_annotation(WORKFLOW_WARNING, "vmtest-bot finish", "%s",
				error_message(err));
	error_destroy(err);
	return NULL;
}

/**
 * Log a step's error: the steps after it are done nevertheless.
 *
 * @return Only an error that ends the command, which is not logged here.
 */
static struct error *note(struct command_context *context, struct error *err)
{
	if (!err || error_is(err, ERROR_CANCELLED))
		return err;
	context->status = 1;
	log_error("%s", error_message(err));
	workflow_log_annotation(WORKFLOW_ERROR, "vmtest-bot finish", "%s",
				error_message(err));
	error_destroy(err);
	return NULL;
}

static struct error *run(struct command_context *context)
{
	struct error *err;

	const struct finish_options *finish = context->options;
	_cleanup_session_ struct session session = { .context = context };
	_cleanup_build_results_ struct build_results results = { 0 };
	_cleanup_free_ char *repository = NULL;
	if (finish->issues) {
		err = find_repository(context->store, &repository);
		if (err)
			return err;
	}
	err = load(&session, &results);
	if (err)
		return err;
	err = list_published(&session, &results);
	if (err)
		return err;
	_cleanup_verdict_list_ struct verdict_list verdicts = { 0 };
	verdicts_compute(&session.plan, &results, &session.assets, &verdicts);
	err = session_report(&session, &verdicts);
	if (err)
		return err;
	annotate(&verdicts);
	err = note(context, session_note_failures(&session, &verdicts));
	if (err)
		return err;
	if (!verdicts.counts[VERDICT_FAILED])
		session_note_success(&session);
	size_t pruned;
	err = note(context, session_prune(&session, finish->keep,
					  finish->keep_days, &pruned));
	if (err)
		return err;
	err = note(context, session_write_page(&session, pruned));
	if (err)
		return err;
	if (finish->issues) {
		err = note(context,
			   update_issues(&session, repository, &verdicts));
		if (err)
			return err;
	}
	size_t failed = verdicts.counts[VERDICT_FAILED];
	if (failed) {
		context->status = 1;
		fflush(stdout);
		log_error("%zu of %zu kernels failed", failed, verdicts.count);
	}
	return NULL;
}

const struct command bot_finish_command = {
	.name = "finish",
	.summary = "end a run of many jobs: say what became of a plan, prune, rewrite the page",
	.details =
		"A kernel is built if its result says so and the store has it; else it has failed,\n"
		"or was skipped because kernel.org does not have its source yet, or somebody else has\n"
		"published it. A run of a workflow that is run again counts a failure once. The exit\n"
		"status is 1 if any failed.",
	.options = { options },
	.options_size = sizeof(struct finish_options),
	.common = COMMON_SELECTION | COMMON_STORE | COMMON_JSON,
	.needs = COMMAND_STORE,
	.run = run,
};
