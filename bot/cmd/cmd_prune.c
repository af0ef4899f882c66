// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/commands.h"

#include <stdio.h>

#include "bot/cmd/publish.h"
#include "bot/cmd/session.h"
#include "bot/plan/prune.h"
#include "common/base/error.h"
#include "common/kernel/release.h"

struct prune_options {
	unsigned int keep;
	bool dry_run;
};

#define OFFSET(field) offsetof(struct prune_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 0, "keep", "N", "keep the newest N of each series, flavor and architecture (default: 1)", OPTION_NUMBER, OFFSET(keep) },
	{ 0, "dry-run", NULL, "only list what would be deleted", OPTION_FLAG, OFFSET(dry_run) },
	{ 0 },
};
// clang-format on

static struct error *run_prune(const struct command_context *context,
			       int *status_ret)
{
	struct error *err;
	const struct prune_options *prune_options = context->options;
	_cleanup_session_ struct session session = { 0 };
	_cleanup_prune_list_ struct prune_list list = { 0 };
	struct release_selection selection;

	command_selection(context, &selection);
	err = session_init(&session, context);
	if (!err)
		err = session_list(&session);
	if (err)
		return err;
	prune_compute(&session.assets,
		      prune_options->keep ? prune_options->keep : 1, &selection,
		      &list);
	for (size_t i = 0; i < list.count; i++)
		puts(list.items[i]->name);
	*status_ret = 0;
	if (prune_options->dry_run || list.count == 0)
		return NULL;
	err = prune_execute(session.store, &list);
	if (!err)
		err = publish_page(&session);
	return err;
}

const struct command cmd_prune = {
	.name = "prune",
	.arguments = "",
	.summary = "delete assets that newer ones have superseded",
	.options = options,
	.options_size = sizeof(struct prune_options),
	.run = run_prune,
};
