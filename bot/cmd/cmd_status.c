// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/commands.h"

#include <jansson.h>
#include <stdio.h>

#include "bot/cmd/session.h"
#include "bot/report/page.h"
#include "common/base/error.h"
#include "common/base/text.h"
#include "common/kernel/release.h"

struct status_options {
	bool markdown;
};

static const struct command_option options[] = {
	{ 0, "markdown", NULL, "print the store's page", OPTION_FLAG,
	  offsetof(struct status_options, markdown) },
	{ 0 },
};

static struct error *print_assets(const struct command_context *context,
				  const struct asset_list *assets)
{
	json_t *array = json_array();
	struct release_selection selection;

	command_selection(context, &selection);
	for (size_t i = 0; i < assets->count; i++) {
		const struct asset *asset = &assets->items[i];
		struct release release;
		char arch[ARCH_SIZE], text[RELEASE_TEXT_SIZE];

		if (!package_name_parse(asset->name, &release, arch) ||
		    !release_is_selected(&release, arch, &selection))
			continue;
		release_format(&release, text);
		if (!context->common->json)
			printf("%-40s %-8s %7.1f MB\n", text, arch,
			       (double)asset->size_bytes / 1e6);
		else
			json_array_append_new(
				array,
				json_pack("{s:s, s:s, s:s, s:I, s:s, s:I, s:o}",
					  "name", asset->name, "release", text,
					  "arch", arch, "size",
					  (json_int_t)asset->size_bytes,
					  "digest", asset->digest, "created",
					  (json_int_t)asset->created, "url",
					  text_json(asset->url ? asset->url
							       : "")));
	}
	if (context->common->json)
		return json_print(stdout, array);
	json_decref(array);
	return NULL;
}

static struct error *run_status(const struct command_context *context,
				int *status_ret)
{
	struct error *err;
	const struct status_options *status_options = context->options;
	_cleanup_session_ struct session session = { 0 };
	_cleanup_free_ char *markdown = NULL;

	err = session_init(&session, context);
	if (!err)
		err = session_list(&session);
	if (err)
		return err;
	*status_ret = 0;
	if (!status_options->markdown)
		return print_assets(context, &session.assets);
	markdown = page_format(session.catalog, &session.assets,
			       store_name(session.store));
	fputs(markdown, stdout);
	return NULL;
}

const struct command cmd_status = {
	.name = "status",
	.arguments = "",
	.summary = "list what the store has",
	.options = options,
	.options_size = sizeof(struct status_options),
	.run = run_status,
};
