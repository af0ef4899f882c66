// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/commands.h"

#include <jansson.h>
#include <stdio.h>

#include "bot/cmd/session.h"
#include "bot/plan/poll.h"
#include "common/base/error.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"

struct poll_options {
	bool latest_stable;
};

static const struct command_option options[] = {
	{ 0, "latest-stable", NULL, "only kernel.org's newest stable kernel",
	  OPTION_FLAG, offsetof(struct poll_options, latest_stable) },
	{ 0 },
};

static struct error *print_json(const struct series_list *kernels,
				bool latest_only)
{
	json_t *array = json_array();

	for (size_t i = 0; i < kernels->count; i++) {
		const struct series_item *item = &kernels->items[i];
		char version[KERNEL_VERSION_TEXT_SIZE],
			series[KERNEL_VERSION_TEXT_SIZE];
		bool latest = kernels->has_latest_stable &&
			      kernel_version_compare(&item->version,
						     &kernels->latest_stable) ==
				      0;

		if (latest_only && !latest)
			continue;
		kernel_version_format(&item->version, version);
		kernel_version_format_series(&item->version, series);
		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:b, s:b}",
						"version", version, "series",
						series, "alive", item->alive,
						"latest_stable", latest));
	}
	return json_print(stdout, array);
}

static void print_text(const struct series_list *kernels)
{
	for (size_t i = 0; i < kernels->count; i++) {
		char version[KERNEL_VERSION_TEXT_SIZE];

		kernel_version_format(&kernels->items[i].version, version);
		puts(version);
	}
}

static struct error *run_poll(const struct command_context *context,
			      int *status_ret)
{
	struct error *err;
	const struct poll_options *poll_options = context->options;
	_cleanup_catalog_ struct catalog *catalog = NULL;
	_cleanup_http_ struct http *http = NULL;
	_cleanup_series_list_ struct series_list kernels = { 0 };

	err = command_load_catalog(context, &catalog);
	if (!err)
		err = command_http(&http);
	if (!err)
		err = poll_kernels(catalog, http, &kernels);
	if (err)
		return err;
	if (poll_options->latest_stable && !kernels.has_latest_stable)
		return error_create(ERROR_NOT_FOUND,
				    "kernel.org names no latest stable kernel");
	*status_ret = 0;
	if (context->common->json)
		return print_json(&kernels, poll_options->latest_stable);
	if (poll_options->latest_stable) {
		char version[KERNEL_VERSION_TEXT_SIZE];

		kernel_version_format(&kernels.latest_stable, version);
		puts(version);
	} else {
		print_text(&kernels);
	}
	return NULL;
}

const struct command cmd_poll = {
	.name = "poll",
	.arguments = "",
	.summary = "list the newest kernel of each series that kernel.org has",
	.options = options,
	.options_size = sizeof(struct poll_options),
	.run = run_poll,
};
