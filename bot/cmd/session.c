// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bot/build/build.h"
#include "bot/report/report.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/table.h"
#include "common/github/workflow.h"
#include "common/kernel/catalog.h"
#include "kbuild/package/package.h"

enum {
	/** A plan of a thousand kernels has 150 KB. */
	PLAN_BYTES_MAX = 16 << 20,
};

void session_deinit(struct session *session)
{
	asset_list_deinit(&session->assets);
	failure_list_deinit(&session->failures);
	prune_list_deinit(&session->superseded);
	plan_deinit(&session->plan);
	series_list_deinit(&session->kernels);
}

const char *session_repository(void)
{
	return workflow_is_active() ? command_variable("GITHUB_REPOSITORY")
				    : NULL;
}

const char *session_run(void)
{
	return workflow_is_active() ? command_variable("GITHUB_RUN_ID") : NULL;
}

static const struct string_list no_names = { 0 };

static struct error *list_assets(struct session *session,
				 const struct string_list *names,
				 uint64_t limit_ms)
{
	asset_list_deinit(&session->assets);
	return store_list_until(session->context->store, names, limit_ms,
				&session->assets);
}

struct error *session_list(struct session *session)
{
	return session_list_until(session, &no_names, 0);
}

struct error *session_list_until(struct session *session,
				 const struct string_list *names,
				 uint64_t limit_ms)
{
	struct error *err;

	err = list_assets(session, names, limit_ms);
	if (err)
		return err;
	_cleanup_free_ char *page = store_page(session->context->store);
	failure_list_deinit(&session->failures);
	failures_read(page, &session->failures);
	page_read_success(page, session->succeeded);
	session->has_failures = true;
	return NULL;
}

/** What tells this program from another: a change of it may be the remedy. */
static struct error *digest_tool(char digest_ret[static DIGEST_TEXT_SIZE])
{
	return digest_file("/proc/self/exe", digest_ret, NULL);
}

/**
 * Forget kernels that the catalog has no more.
 *
 * @param[in] tool If not NULL, also those that would be made in another way.
 */
static void keep_failures(struct session *session, const char *tool)
{
	struct failure_list kept = { 0 };
	char recipe[RECIPE_SIZE];

	for (size_t i = 0; i < session->failures.count; i++) {
		const struct failure *failure = &session->failures.items[i];
		_cleanup_error_ struct error *gone =
			recipe_digest(session->context->catalog, failure->arch,
				      &failure->release, tool ? tool : "",
				      recipe);

		if (!gone && (!tool || strcmp(recipe, failure->recipe) == 0))
			vector_add(&kept) = *failure;
	}
	failure_list_deinit(&session->failures);
	session->failures = kept;
}

struct error *session_recall_failures(struct session *session)
{
	struct error *err;
	char tool[DIGEST_TEXT_SIZE];

	if (!session->failures.count)
		return NULL;
	err = digest_tool(tool);
	if (!err)
		keep_failures(session, tool);
	return err;
}

struct error *session_note_failures(struct session *session,
				    const struct verdict_list *verdicts)
{
	struct error *err;
	char tool[DIGEST_TEXT_SIZE], recipe[RECIPE_SIZE];

	keep_failures(session, NULL);
	err = digest_tool(tool);
	for (size_t i = 0; i < verdicts->count && !err; i++) {
		const struct verdict *verdict = &verdicts->items[i];
		const struct plan_item *item = verdict->item;

		if (verdict->kind != VERDICT_FAILED ||
		    !failure_counts(verdict->phase))
			continue;
		err = recipe_digest(session->context->catalog, item->arch->name,
				    &item->release, tool, recipe);
		if (!err)
			failures_add(&session->failures, &item->release,
				     item->arch->name, verdict->phase, recipe,
				     session_run(), time(NULL));
	}
	failures_clean(&session->failures, &session->assets, time(NULL));
	return error_wrap(err, "note what failed");
}

void session_note_success(struct session *session)
{
	day_format(time(NULL), 0, session->succeeded);
}

bool session_is_refresh_due(const struct session *session)
{
	char today[DAY_SIZE];

	day_format(time(NULL), 0, today);
	return !session->plan.count && strcmp(session->succeeded, today) != 0;
}

#define INTO(type, field) OPTION_INTO(type, struct plan_selection, field)

// clang-format off
const struct command_option selection_option_table[] = {
	{ 0, "limit", "N", "at most N kernels, the newest", INTO(OPTION_NUMBER, limit), .min = 1 },
	{ 0, "rebuild", NULL, "also rebuild kernels that the store has, under the next PATCH, and try what --retry tries", INTO(OPTION_FLAG, rebuild) },
	{ 0, "retry", NULL, "also try kernels again that failed, and else wait 1, 2, 4 and then 7 days", INTO(OPTION_FLAG, retry) },
	{ 0, "latest-stable", NULL, "only kernel.org's newest stable kernel", INTO(OPTION_FLAG, latest_stable) },
	{ 0 },
};
// clang-format on

static void log_waiting(const struct plan *plan)
{
	for (size_t i = 0; i < plan->waiting.count; i++) {
		const struct failure *failure = plan->waiting.items[i];
		_cleanup_free_ char *text = failure_text(failure);
		char release[RELEASE_TEXT_SIZE];

		release_format(&failure->release, release);
		log_info("%s for %s %s", release, failure->arch, text);
	}
}

struct error *session_plan(struct session *session, unsigned int limit,
			   size_t keep, bool must_fit)
{
	struct error *err;

	const struct command_context *context = session->context;
	struct plan_selection selection =
		*(const struct plan_selection *)context->options;
	selection.wanted = command_selection(context);
	if (limit && (!selection.limit || selection.limit > limit))
		selection.limit = limit;
	err = poll_kernels(context->catalog, context->http, &session->kernels);
	if (err)
		return err;
	err = session_list(session);
	if (err)
		return err;
	err = session_recall_failures(session);
	if (err)
		return err;
	selection.failures = &session->failures;
	selection.now_s = time(NULL);
	struct plan *plan = &session->plan;
	err = plan_compute(context->catalog, &session->kernels,
			   &session->assets, &selection, plan);
	if (err)
		return err;
	const char *name = store_name(context->store);
	if (plan->left_out)
		log_info("%zu more kernels are left for the next time",
			 plan->left_out);
	for (size_t i = 0; i < plan->off.count; i++)
		log_info("not built%s", plan->off.items[i]);
	log_waiting(plan);
	if (!plan->count && plan->waiting.count)
		log_info("nothing to build before then; --retry tries all of them now");
	else if (!plan->count && plan->stored)
		log_info("nothing to build: %s has every kernel", name);
	else if (!plan->count && plan->off.count)
		log_info("nothing to build: what was asked for is off in the catalog");
	else if (!plan->count)
		log_info("nothing to build: the catalog has none of the kernels that were asked for");
	struct store_room room;
	store_get_room(context->store, &room);
	err = error_wrap(prune_make_room(&session->assets, &room, plan->count,
					 keep, &session->superseded),
			 "plan for %s", name);
	if (err && must_fit)
		return err;
	if (err)
		log_warning("%s", error_message(err));
	error_destroy(err);
	if (session->superseded.count)
		log_info("%zu superseded assets have to go first: %s holds %zu assets of at most %zu",
			 session->superseded.count, name, room.used, room.limit);
	return NULL;
}

struct error *session_read_plan(struct session *session, const char *path)
{
	struct error *err;

	_cleanup_free_ char *text = NULL;
	err = file_read(path, PLAN_BYTES_MAX, &text, NULL);
	if (!err)
		err = plan_parse(session->context->catalog, text, path,
				 &session->plan);
	return error_wrap(err, "--plan");
}

struct error *session_print_plan(const struct session *session)
{
	if (session->context->common->json) {
		json_t *array = plan_json(&session->plan);

		for (size_t i = 0; i < session->plan.waiting.count; i++)
			json_array_append_new(
				array, plan_failure_json(
					       session->plan.waiting.items[i]));
		return command_print_json(array);
	}
	for (size_t i = 0; i < session->plan.count; i++)
		printf("%s %s\n", session->plan.items[i].release_text,
		       session->plan.items[i].arch->name);
	return NULL;
}

struct error *session_report(const struct session *session,
			     const struct verdict_list *verdicts)
{
	struct error *err;

	struct command_context *context = session->context;
	for (size_t i = 0; i < verdicts->count && context->common->json; i++) {
		const struct verdict *verdict = &verdicts->items[i];

		command_row_add(context,
				json_pack("{s:s, s:s, s:s, s:s?, s:s}", "release",
					  verdict->item->release_text, "arch",
					  verdict->item->arch->name, "result",
					  verdict_kind_names[verdict->kind],
					  "phase", verdict->phase, "reason",
					  verdict->reason));
	}
	err = command_rows_print(context);
	if (err)
		return err;
	if (!context->common->json) {
		_cleanup_table_ struct table table = { 0 };

		report_verdicts(verdicts, &table);
		table_print(&table);
	}
	_cleanup_free_ char *markdown = report_summary(verdicts,
						       session->plan.left_out,
						       workflow_summary_room());
	return workflow_summary_write(markdown);
}

struct error *session_prune(struct session *session, size_t keep,
			    unsigned int keep_days, size_t *count_ret)
{
	const struct release_selection selection =
		command_selection(session->context);

	_cleanup_prune_list_ struct prune_list list = { 0 };
	const struct prune_rule rule = prune_rule_from_options(keep, keep_days);
	prune_compute(&session->assets, &rule, &selection, &list);
	*count_ret = list.count;
	return prune_execute(session->context->store, &list);
}

struct error *publish_check_name(const char *path)
{
	struct release release;
	char arch[ARCH_SIZE];

	if (package_name_parse(path_name(path), &release, arch))
		return NULL;
	return error_create(ERROR_USAGE,
			    "%s is not a package name; it must be kernel-VERSION-vmtestREVISION.MINORFLAVOR.ARCH.tar.zst",
			    path);
}

struct error *publish_package(struct store *store, const char *path,
			      char **url_ret)
{
	struct error *err;

	const char *name = path_name(path);
	_cleanup_package_notes_ struct package_notes notes = { 0 };
	err = package_notes_load(path, &notes);
	if (err)
		return err;
	_cleanup_free_ char *label = asset_label_format(name, &notes);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_BYTES, "publish %s", name);
	err = store_put(store, path, label, progress, url_ret);
	if (err)
		return err;
	progress_finish(progress);
	return NULL;
}

struct error *session_write_page(struct session *session, bool is_changed)
{
	struct error *err = NULL;

	struct store *store = session->context->store;
	if (!session->has_failures)
		err = session_list(session);
	else if (is_changed)
		err = list_assets(session, &no_names, 0);
	if (!err) {
		failures_clean(&session->failures, &session->assets, time(NULL));
		_cleanup_free_ char *markdown =
			page_format(session->context->catalog, &session->assets,
				    &session->failures, session->succeeded,
				    store_name(store));

		err = store_describe(store, markdown);
	}
	return error_wrap(err, "rewrite the page of %s", store_name(store));
}
