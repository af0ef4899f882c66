// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <jansson.h>

#include "common/base/error.h"

struct bot_prune_options {
	unsigned int keep, keep_days;
	bool dry_run;
};

#define INTO(type, field) OPTION_INTO(type, struct bot_prune_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 0, "keep", "N", "keep the newest N of each series, flavor and architecture (default: 1)", INTO(OPTION_NUMBER, keep), .otherwise = 1 },
	{ 0, "keep-days", "N", "keep also what has been superseded for less than N days (default: 2)", INTO(OPTION_NUMBER, keep_days), .otherwise = KEEP_DAYS_DEFAULT },
	{ 0, "dry-run", NULL, "only list what would be deleted", INTO(OPTION_FLAG, dry_run) },
	{ 0 },
};
// clang-format on

static struct error *run(struct command_context *context)
{
	struct error *err;

	const struct bot_prune_options *prune = context->options;

	_cleanup_session_ struct session session = { .context = context };
	err = session_list(&session);
	if (err)
		return err;
	_cleanup_prune_list_ struct prune_list list = { 0 };
	const struct release_selection selection = command_selection(context);
	const struct prune_rule rule =
		prune_rule_from_options(prune->keep, prune->keep_days);
	prune_compute(&session.assets, &rule, &selection, &list);
	for (size_t i = 0; i < list.count; i++)
		command_row(context,
			    json_pack("{s:s}", "name", list.items[i]->name),
			    "%s", list.items[i]->name);
	err = command_rows_print(context);
	if (err || prune->dry_run || list.count == 0)
		return err;
	err = prune_execute(context->store, &list);
	return err ? err : session_write_page(&session, true);
}

const struct command bot_prune_command = {
	.name = "prune",
	.summary = "delete assets that newer ones have superseded",
	.options = { options },
	.options_size = sizeof(struct bot_prune_options),
	.common = COMMON_SELECTION | COMMON_STORE | COMMON_JSON,
	.needs = COMMAND_STORE,
	.run = run,
};
