// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bot/plan/failure.h"
#include "bot/report/report.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"

enum {
	/** A run a day is usual. */
	STALE_DAYS = 3,
};

struct status_options {
	bool markdown;
};

static const struct command_option options[] = {
	{ 0, "markdown", NULL, "print the store's page",
	  OPTION_INTO(OPTION_FLAG, struct status_options, markdown) },
	{ 0 },
};

static void add_asset(struct command_context *context,
		      const struct asset *asset, struct table *table)
{
	const struct release_selection selection = command_selection(context);
	struct release release;
	char arch[ARCH_SIZE], text[RELEASE_TEXT_SIZE];

	if (!package_name_parse(asset->name, &release, arch) ||
	    !release_is_selected(&release, arch, &selection))
		return;
	release_format(&release, text);
	if (context->common->json) {
		command_row_add(context,
				json_pack("{s:s, s:s, s:s, s:I, s:s, s:I, s:o}",
					  "name", asset->name, "release", text,
					  "arch", arch, "size",
					  (json_int_t)asset->size_bytes,
					  "digest", asset->digest, "created",
					  (json_int_t)asset->created, "url",
					  text_json(asset->url ? asset->url
							       : "")));
		return;
	}
	table_add(table, text);
	table_add(table, arch);
	table_add_megabytes(table, asset->size_bytes);
	table_add(table, NULL);
}

/** What failed, and waits for its next try. */
static void add_failure(struct command_context *context,
			const struct failure *failure, struct table *table)
{
	const struct release_selection selection = command_selection(context);

	if (!release_is_selected(&failure->release, failure->arch, &selection))
		return;
	if (context->common->json) {
		command_row_add(context, plan_failure_json(failure));
		return;
	}
	_cleanup_free_ char *text = failure_text(failure);
	char release[RELEASE_TEXT_SIZE];
	release_format(&failure->release, release);
	table_add(table, release);
	table_add(table, failure->arch);
	table_add(table, NULL);
	table_add(table, text);
}

/** A store in which no run has succeeded so far is as old as its first package. */
static void find_first(const struct asset_list *assets,
		       char day_ret[static DAY_SIZE])
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < assets->count; i++) {
		if (assets->items[i].created < first)
			first = assets->items[i].created;
	}
	if (assets->count)
		day_format((time_t)first, 0, day_ret);
}

/** Nobody else says that a schedule was switched off, or fails for weeks. */
static void check_age(struct command_context *context,
		      const struct session *session)
{
	const char *name = store_name(context->store);
	char oldest[DAY_SIZE], first[DAY_SIZE] = "";
	bool has_succeeded = *session->succeeded;

	day_format(time(NULL), -STALE_DAYS, oldest);
	find_first(&session->assets, first);
	if (strcmp(has_succeeded ? session->succeeded : first, oldest) >= 0)
		return;
	context->status = 1;
	if (has_succeeded)
		log_error("%s is stale: the last successful run was on %s; see why there was none since",
			  name, session->succeeded);
	else
		log_error("%s is stale: no run of 'vmtest-bot run' or 'finish' has succeeded so far; see why",
			  name);
}

static struct error *run(struct command_context *context)
{
	struct error *err;

	const struct status_options *status = context->options;
	_cleanup_session_ struct session session = { .context = context };
	err = session_list(&session);
	if (!err)
		err = session_recall_failures(&session);
	if (err)
		return err;
	failures_clean(&session.failures, &session.assets, time(NULL));
	if (status->markdown) {
		_cleanup_free_ char *markdown =
			page_format(context->catalog, &session.assets,
				    &session.failures, session.succeeded,
				    store_name(context->store));

		fputs(markdown, stdout);
		return NULL;
	}
	_cleanup_table_ struct table table = { 0 };
	table_add_column(&table, "", TABLE_TEXT);
	table_add_column(&table, "", TABLE_TEXT);
	table_add_column(&table, "", TABLE_NUMBER);
	table_add_column(&table, "", TABLE_TEXT);
	for (size_t i = 0; i < session.assets.count; i++)
		add_asset(context, &session.assets.items[i], &table);
	for (size_t i = 0; i < session.failures.count; i++)
		add_failure(context, &session.failures.items[i], &table);
	table_print(&table);
	_cleanup_string_list_ struct string_list limits = { 0 };
	catalog_list_limits(context->catalog, &limits);
	for (size_t i = 0; i < limits.count; i++)
		log_info("%s", limits.items[i]);
	check_age(context, &session);
	return command_rows_print(context);
}

const struct command bot_status_command = {
	.name = "status",
	.summary = "list what the store has, and what failed and waits for its next try",
	.details =
		"The exit status is 1 if the last successful run is more than 3 days old, or if none\n"
		"has succeeded so far, and the store is empty or its first package as old.",
	.options = { options },
	.options_size = sizeof(struct status_options),
	.common = COMMON_SELECTION | COMMON_STORE | COMMON_JSON,
	.needs = COMMAND_STORE,
	.run = run,
};
