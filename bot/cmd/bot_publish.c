// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <stdio.h>
#include <string.h>

#include "bot/build/build.h"
#include "bot/cmd/session.h"
#include "common/base/error.h"
#include "common/base/progress.h"
#include "common/kernel/release.h"
#include "kbuild/package/package.h"

struct publish_options {
	bool no_page;
};

static const struct command_option options[] = {
	{ 0, "no-page", NULL, "leave the store's page as it is", OPTION_FLAG,
	  .offset = offsetof(struct publish_options, no_page) },
	{ 0 },
};

struct error *publish_package(struct store *store, const char *path,
			      char **url_ret)
{
	struct error *err;
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct release release;
	char arch[ARCH_SIZE];

	if (!package_name_parse(name, &release, arch))
		return error_create(ERROR_USAGE,
				    "%s: no package's name; it must be kernel-VERSION-vmtestREVISION.MINORFLAVOR.ARCH.tar.zst",
				    path);
	_cleanup_string_list_ struct string_list lost = { 0 };
	err = package_info_read_lost(path, &lost);
	if (err)
		return err;
	_cleanup_free_ char *label = lost_options_label(name, &lost);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_BYTES, "publish %s", name);
	err = store_put(store, path, label, progress, url_ret);
	if (err)
		return err;
	progress_finish(progress);
	return NULL;
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct publish_options *publish = context->options;

	if (context->argument_count == 0)
		return error_create(ERROR_USAGE,
				    "publish needs at least one FILE; see --help");
	_cleanup_session_ struct session session = session_open(context);
	for (int i = 0; i < context->argument_count; i++) {
		_cleanup_free_ char *url = NULL;

		err = publish_package(context->store, context->arguments[i],
				      &url);
		if (err)
			return err;
		puts(url);
	}
	return publish->no_page ? NULL : publish_page(&session);
}

const struct command bot_publish_command = {
	.name = "publish",
	.arguments = "FILE...",
	.summary = "put packages into the store, and rewrite its page",
	.options = { options },
	.options_size = sizeof(struct publish_options),
	.needs = COMMAND_STORE,
	.run = run,
};
