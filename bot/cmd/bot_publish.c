// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <jansson.h>

#include "common/base/error.h"
#include "common/base/text.h"

struct publish_options {
	bool no_page;
};

static const struct command_option options[] = {
	{ 0, "no-page", NULL, "leave the store's page as it is",
	  OPTION_INTO(OPTION_FLAG, struct publish_options, no_page) },
	{ 0 },
};

static struct error *run(struct command_context *context)
{
	struct error *err;

	const struct publish_options *publish = context->options;

	if (context->line.argument_count == 0)
		return error_create(ERROR_USAGE,
				    "publish needs at least one FILE; see --help");
	for (int i = 0; i < context->line.argument_count; i++) {
		err = publish_check_name(context->line.arguments[i]);
		if (err)
			return err;
	}
	err = store_check_writable(context->store);
	if (err)
		return err;
	for (int i = 0; i < context->line.argument_count; i++) {
		_cleanup_free_ char *url = NULL;

		err = publish_package(context->store,
				      context->line.arguments[i], &url);
		if (err)
			return err;
		command_row(context, json_pack("{s:o}", "url", text_json(url)),
			    "%s", url);
	}
	err = command_rows_print(context);
	if (err)
		return err;
	_cleanup_session_ struct session session = { .context = context };
	return publish->no_page ? NULL : session_write_page(&session, true);
}

const struct command bot_publish_command = {
	.name = "publish",
	.arguments = "FILE...",
	.summary = "put packages into the store, and rewrite its page",
	.options = { options },
	.options_size = sizeof(struct publish_options),
	.common = COMMON_STORE | COMMON_JSON,
	.needs = COMMAND_STORE,
	.run = run,
};
