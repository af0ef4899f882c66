// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <jansson.h>

#include "common/base/error.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/store/store.h"
#include "vm/kernel/kernel.h"

static struct error *download_newest(struct command_context *context,
				     const struct asset_list *assets,
				     const char *arch, const char *pattern)
{
	struct error *err;

	const struct asset *asset;
	err = command_asset(context, assets, arch, pattern, &asset);
	if (err)
		return err;
	_cleanup_kernel_ struct kernel kernel = { 0 };
	uint64_t start_ms = monotonic_ms();
	uint64_t unpack_ms;
	err = command_download(context, asset, &kernel, &unpack_ms);
	if (err)
		return err;
	command_row(context,
		    json_pack("{s:s, s:o, s:I, s:I}", "asset", asset->name,
			      "path", text_json(kernel.path), "download_ms",
			      (json_int_t)(monotonic_ms() - start_ms - unpack_ms),
			      "unpack_ms", (json_int_t)unpack_ms),
		    "%s", kernel.path);
	return NULL;
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct string_list *kernels = &context->common->kernels;

	if (!kernels->count)
		return error_create(ERROR_USAGE,
				    "download: say which kernels with --kernel");
	_cleanup_string_list_ struct string_list archs = { 0 };
	err = command_archs(context, &archs);
	if (err)
		return err;
	_cleanup_asset_list_ struct asset_list assets = { 0 };
	err = command_assets(context, false, &assets);
	if (err)
		return err;
	for (size_t i = 0; i < archs.count * kernels->count; i++) {
		err = download_newest(context, &assets,
				      archs.items[i / kernels->count],
				      kernels->items[i % kernels->count]);
		if (err)
			return err;
	}
	return command_rows_print(context);
}

const struct command vm_download_command = {
	.name = "download",
	.summary = "fetch the newest match of each --kernel",
	.details = "Prints the kernels' directories; with --json also what fetching and unpacking\n"
		   "took.",
	.common = COMMON_SELECTION | COMMON_DOWNLOAD | COMMON_JSON,
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY,
	.run = run,
};
