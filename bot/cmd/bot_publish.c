// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <jansson.h>

#include "bot/build/build.h"
#include "common/base/error.h"
#include "common/base/text.h"

struct publish_options {
	bool no_page;
	const char *result;
};

#define INTO(type, field) OPTION_INTO(type, struct publish_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 0, "no-page", NULL, "leave the store's page as it is", INTO(OPTION_FLAG, no_page) },
	{ 0, "result", "FILE", "publish one package, and only if it is what FILE, of 'build --result', tells of", INTO(OPTION_STRING, result) },
	{ 0 },
};
// clang-format on

/** See that the one package is the one that was built. */
static struct error *check_result(const struct command_context *context,
				  const char *result_path)
{
	struct error *err;

	if (context->line.argument_count != 1)
		return error_create(ERROR_USAGE,
				    "--result: a result is that of one package");
	_cleanup_build_result_ struct build_result result = { 0 };
	err = build_result_load(result_path, &result);
	if (!err)
		err = build_result_check(&result, context->line.arguments[0]);
	return error_wrap(err, "--result");
}

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
	if (!err && publish->result)
		err = check_result(context, publish->result);
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
