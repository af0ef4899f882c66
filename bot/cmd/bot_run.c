// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bot/build/build.h"
#include "bot/report/report.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/github/workflow.h"
#include "common/kernel/catalog.h"

struct bot_run_options {
	struct plan_selection selection;
	unsigned int jobs;
	unsigned int keep, keep_days;
	bool dry_run;
};

#define INTO(type, field) OPTION_INTO(type, struct bot_run_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 'j', "jobs", "N", "compilers at once (default: one a processor)", INTO(OPTION_NUMBER, jobs), .min = 1 },
	{ 0, "keep", "N", "prune all but the newest N of each series, flavor and architecture (default: keep all)", INTO(OPTION_NUMBER, keep), .min = 1, .otherwise = KEEP_ALL },
	{ 0, "keep-days", "N", "keep also what has been superseded for less than N days (default: 2)", INTO(OPTION_NUMBER, keep_days), .otherwise = KEEP_DAYS_DEFAULT },
	{ 0, "dry-run", NULL, "only list what would be built", INTO(OPTION_FLAG, dry_run) },
	{ 0 },
};
// clang-format on

/** Build and publish. @param[in,out] build Keeps its result. */
static struct error *run_item(const struct build_request *request,
			      struct store *store, const struct plan_item *item,
			      struct kernel_build *build)
{
	struct error *err;

	err = kernel_build_run(request, item, build);
	if (err)
		return err;
	_cleanup_free_ char *url = NULL;
	phase_clock_enter(&build->result.clock, PHASE_PUBLISH);
	err = publish_package(store, build->package, &url);
	phase_clock_stop(&build->result.clock);
	if (err)
		return err;
	struct stat st;
	if (stat(build->package, &st) == 0)
		build->result.size_bytes = (uint64_t)st.st_size;
	log_info("published %s", url);
	return kernel_build_discard(build);
}

/** An empty one, as an earlier run's must not be taken for this run's. */
static struct error *make_log(const char *path)
{
	struct error *err;

	_cleanup_free_ char *parent = path_parent(path);
	err = directory_create(parent);
	return err ? err : file_write(path, "", 0);
}

/**
 * Build, boot and publish every item. A kernel that fails is logged, noted in
 * its result, and does not stop the others.
 *
 * @return Only what ends the whole run, such as ERROR_CANCELLED.
 */
static struct error *run_items(const struct build_request *request,
			       struct store *store, const struct plan *plan,
			       struct build_results *results)
{
	struct error *err;

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];
		_cleanup_kernel_build_ struct kernel_build build = { 0 };
		struct workflow_group group;

		_cleanup_free_ char *log_path =
			path_joinf(request->directory, "logs/%s.%s.log",
				   item->release_text, item->arch->name);
		err = make_log(log_path);
		if (err)
			return err;
		struct build_request one = *request;
		one.log_path = log_path;
		workflow_group_begin(&group, "%s for %s", item->release_text,
				     item->arch->name);
		log_info("kernel %zu of %zu: %s for %s", i + 1, plan->count,
			 item->release_text, item->arch->name);
		_cleanup_error_ struct error *failure =
			run_item(&one, store, item, &build);
		workflow_group_end(&group);
		if (error_is(failure, ERROR_CANCELLED))
			return take_ptr(failure);
		build_result_end(&build.result, failure);
		if (failure) {
			build.result.log = build_log_excerpt(log_path);
			report_failure(item, &build.result);
		} else {
			unlink(log_path);
		}
		vector_add(results) = take(build.result);
	}
	return NULL;
}

/** What would else fail after each build, is said before the first. */
static struct error *check(const struct build_request *request,
			   struct store *store, const struct plan *plan)
{
	struct error *err;

	err = store_check_writable(store);
	for (size_t i = 0; i < plan->count && !err; i++)
		err = boot_check(request, plan->items[i].arch);
	return err;
}

static struct error *execute(struct session *session)
{
	struct error *err;

	struct command_context *context = session->context;
	const struct bot_run_options *run_options = context->options;
	err = command_open(context, COMMAND_DIRECTORY);
	if (err)
		return err;
	const struct build_request request = {
		.catalog = context->catalog,
		.http = context->http,
		.directory = context->directory,
		.qemu = command_variable("VMTEST_QEMU"),
		.jobs = run_options->jobs,
	};
	err = check(&request, context->store, &session->plan);
	if (err)
		return err;
	err = prune_execute(context->store, &session->superseded);
	if (err)
		return err;
	_cleanup_build_results_ struct build_results results = { 0 };
	err = run_items(&request, context->store, &session->plan, &results);
	if (err)
		return err;
	_cleanup_verdict_list_ struct verdict_list verdicts = { 0 };
	verdicts_compute(&session->plan, &results, NULL, &verdicts);
	err = session_report(session, &verdicts);
	if (err)
		return err;
	context->status = verdicts.counts[VERDICT_FAILED] ? 1 : 0;
	err = session_list(session);
	if (!err)
		err = session_note_failures(session, &verdicts);
	if (err)
		return err;
	if (!context->status)
		session_note_success(session);
	size_t pruned;
	err = session_prune(session, run_options->keep, run_options->keep_days,
			    &pruned);
	if (err)
		return err;
	return session_write_page(session, pruned);
}

/** There is nothing to build: leave the store as a run should leave it. */
static struct error *tidy(struct session *session)
{
	struct error *err;

	size_t pruned;
	const struct bot_run_options *run_options = session->context->options;
	err = session_prune(session, run_options->keep, run_options->keep_days,
			    &pruned);
	if (err)
		return err;
	session_note_success(session);
	err = session_write_page(session, pruned);
	// Only a run that died, or two at once, may have left a page that is
	// not true; and whoever may not write has nothing to repair.
	if (pruned || error_is(err, ERROR_CANCELLED) ||
	    error_catch(&err, ERROR_USAGE))
		return err;
	if (err)
		log_warning("%s", error_message(err));
	error_destroy(err);
	return NULL;
}

static struct error *run(struct command_context *context)
{
	struct error *err;

	const struct bot_run_options *run_options = context->options;
	_cleanup_session_ struct session session = { .context = context };
	err = session_plan(&session, 0,
			   run_options->keep == KEEP_ALL ? 1 : run_options->keep,
			   !run_options->dry_run);
	if (err)
		return err;
	if (run_options->dry_run)
		return session_print_plan(&session);
	return session.plan.count ? execute(&session) : tidy(&session);
}

const struct command bot_run_command = {
	.name = "run",
	.summary = "build, boot and publish the kernels that the store lacks",
	.details = "A kernel that fails does not stop the others: a table at the end says what\n"
		   "became of each, and the exit status is 1 if any failed.",
	.options = { options, selection_option_table },
	.options_size = sizeof(struct bot_run_options),
	.common = COMMON_SELECTION | COMMON_STORE | COMMON_DIRECTORY |
		  COMMON_JSON | COMMON_ALLOW_UNVERIFIED,
	.needs = COMMAND_STORE,
	.run = run,
};
