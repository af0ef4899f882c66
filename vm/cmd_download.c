// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/catalog.h"
#include "common/command.h"
#include "common/error.h"
#include "common/http.h"
#include "common/store.h"
#include "vm/kernel.h"

static void cleanup_json(json_t **json)
{
	json_decref(*json);
}

static json_t *download_json(const struct asset *asset, const char *path,
			     const struct kernel_download_times *times)
{
	return json_pack("{s:s, s:s, s:I, s:I}", "asset", asset->name, "path",
			 path, "download_ms", (json_int_t)times->download_ms,
			 "unpack_ms", (json_int_t)times->unpack_ms);
}

static struct error *print_json(const json_t *array)
{
	if (json_dumpf(array, stdout, JSON_INDENT(2)) < 0)
		return error_no_memory();
	putchar('\n');
	return NULL;
}

struct error *cmd_download(const struct command_context *context, int *status_ret)
{
	struct error *err;

	const struct string_list *kernels = &context->common->kernels;
	const struct catalog_arch *arch;
	_cleanup_catalog_ struct catalog *catalog = NULL;
	_cleanup_free_ char *directory = NULL;
	_cleanup_http_ struct http *http = NULL;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_asset_list_ struct asset_list assets = { 0 };
	_cleanup_(cleanup_json) json_t *array = json_array();

	(void)status_ret;
	if (!kernels->count)
		return error_create(ERROR_USAGE,
				    "download: say which kernels with --kernel");
	err = command_load_catalog(context, &catalog);
	if (err)
		return err;
	err = command_arch(context, catalog, &arch);
	if (err)
		return err;
	err = command_directory(context, &directory);
	if (err)
		return err;
	err = command_http(context, &http);
	if (err)
		return err;
	err = command_store(context, catalog, http, &store);
	if (err)
		return err;
	err = store_list(store, &assets);
	if (err)
		return err;
	for (size_t i = 0; i < kernels->count; i++) {
		_cleanup_free_ char *path = NULL;
		struct kernel_download_times times;
		const struct asset *asset =
			kernel_find_asset(&assets, arch->name, kernels->items[i],
					  &context->common->flavors);

		if (!asset)
			return command_no_kernel(context, kernels->items[i], arch,
						 &assets, store_name(store));
		err = kernel_download(store, asset, directory, &path, &times);
		if (err)
			return err;
		if (!context->common->json)
			puts(path);
		else
			json_array_append_new(array, download_json(asset, path,
								   &times));
	}
	return context->common->json ? print_json(array) : NULL;
}
