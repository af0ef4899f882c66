// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/commands.h"

#include <stdio.h>
#include <string.h>

#include "bot/cmd/publish.h"
#include "bot/cmd/session.h"
#include "common/base/error.h"

struct publish_options {
	bool no_page;
};

static const struct command_option options[] = {
	{ 0, "no-page", NULL, "leave the store's page as it is", OPTION_FLAG,
	  offsetof(struct publish_options, no_page) },
	{ 0 },
};

static struct error *run_publish(const struct command_context *context,
				 int *status_ret)
{
	struct error *err;
	const struct publish_options *publish_options = context->options;
	_cleanup_session_ struct session session = { 0 };

	if (context->argument_count == 0)
		return error_create(ERROR_USAGE,
				    "publish needs at least one FILE; see --help");
	err = session_init(&session, context);
	for (int i = 0; !err && i < context->argument_count; i++) {
		_cleanup_free_ char *url = NULL;

		err = publish_package(session.store, context->arguments[i], &url);
		if (!err)
			puts(url);
	}
	if (!err && !publish_options->no_page)
		err = publish_page(&session);
	*status_ret = 0;
	return err;
}

const struct command cmd_publish = {
	.name = "publish",
	.arguments = "FILE...",
	.summary = "put packages into the store, and rewrite its page",
	.options = options,
	.options_size = sizeof(struct publish_options),
	.run = run_publish,
};
