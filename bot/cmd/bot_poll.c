// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <jansson.h>

#include "bot/plan/plan.h"
#include "common/base/error.h"

struct poll_options {
	bool latest_stable;
};

static const struct command_option options[] = {
	{ 0, "latest-stable", NULL, "only kernel.org's newest stable kernel",
	  OPTION_INTO(OPTION_FLAG, struct poll_options, latest_stable) },
	{ 0 },
};

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct poll_options *poll_options = context->options;

	_cleanup_series_list_ struct series_list kernels = { 0 };
	err = poll_kernels(context->catalog, context->http, &kernels);
	if (err)
		return err;
	if (poll_options->latest_stable && !kernels.has_latest_stable)
		return error_create(ERROR_NOT_FOUND,
				    "kernel.org names no latest stable kernel");
	for (size_t i = 0; i < kernels.count; i++) {
		const struct series_item *item = &kernels.items[i];
		bool is_latest = kernels.has_latest_stable &&
				 !kernel_version_compare(&item->version,
							 &kernels.latest_stable);

		if (!is_latest && poll_options->latest_stable)
			continue;
		char version[KERNEL_VERSION_TEXT_SIZE],
			series[KERNEL_VERSION_TEXT_SIZE];
		kernel_version_format(&item->version, version);
		kernel_version_format_series(&item->version, series);
		command_row(context,
			    json_pack("{s:s, s:s, s:b, s:b}", "version",
				      version, "series", series, "alive",
				      item->alive, "latest_stable", is_latest),
			    "%s", version);
	}
	return command_rows_print(context);
}

const struct command bot_poll_command = {
	.name = "poll",
	.summary = "list the newest kernel of each series that kernel.org has",
	.options = { options },
	.options_size = sizeof(struct poll_options),
	.common = COMMON_JSON,
	.needs = COMMAND_CATALOG,
	.run = run,
};
