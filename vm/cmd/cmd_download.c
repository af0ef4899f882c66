// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/cli/command.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "vm/kernel/kernel.h"

static json_t *download_json(const struct asset *asset, const char *path,
			     const struct kernel_download_times *times)
{
	return json_pack("{s:s, s:o, s:I, s:I}", "asset", asset->name, "path",
			 text_json(path), "download_ms",
			 (json_int_t)times->download_ms, "unpack_ms",
			 (json_int_t)times->unpack_ms);
}

static struct error *print_json(const json_t *array)
{
	if (json_dumpf(array, stdout, JSON_INDENT(2)) < 0)
		memory_exhausted();
	putchar('\n');
	return NULL;
}

/** What downloads are made with. */
struct downloader {
	const struct command_context *context;
	struct store *store;
	struct asset_list assets;
	char *directory;
	/** NULL to print a line each instead. */
	json_t *array;
};

static void downloader_deinit(struct downloader *downloader)
{
	asset_list_deinit(&downloader->assets);
	store_destroy(downloader->store);
	free(downloader->directory);
	json_decref(downloader->array);
}

static struct error *download_newest(const struct downloader *downloader,
				     const struct catalog_arch *arch,
				     const char *pattern)
{
	struct error *err;

	const struct command_context *context = downloader->context;
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	struct kernel_download_times times;
	const struct asset *asset =
		kernel_find_asset(&downloader->assets, arch->name, pattern,
				  &context->common->flavors);

	if (!asset)
		return command_no_kernel(context, pattern, arch,
					 &downloader->assets,
					 store_name(downloader->store));
	err = kernel_download(downloader->store, asset, downloader->directory,
			      &kernel, &times);
	if (err)
		return err;
	if (downloader->array)
		json_array_append_new(downloader->array,
				      download_json(asset, kernel.path, &times));
	else
		puts(kernel.path);
	return NULL;
}

struct error *cmd_download(const struct command_context *context, int *status_ret)
{
	struct error *err;

	const struct string_list *kernels = &context->common->kernels;
	_cleanup_catalog_ struct catalog *catalog = NULL;
	_cleanup_arch_list_ struct arch_list archs = { 0 };
	_cleanup_http_ struct http *http = NULL;
	_cleanup_(downloader_deinit) struct downloader downloader = {
		.context = context,
		.array = context->common->json ? json_array() : NULL,
	};

	(void)status_ret;
	if (!kernels->count)
		return error_create(ERROR_USAGE,
				    "download: say which kernels with --kernel");
	err = command_load_catalog(context, &catalog);
	if (!err)
		err = command_archs(context, catalog, &archs);
	if (!err)
		err = command_directory(context, &downloader.directory);
	if (!err)
		err = command_http(&http);
	if (!err)
		err = command_store(context, catalog, catalog->repository, http,
				    &downloader.store);
	if (!err)
		err = store_list(downloader.store, &downloader.assets);
	for (size_t i = 0; i < archs.count; i++) {
		for (size_t j = 0; j < kernels->count && !err; j++)
			err = download_newest(&downloader, archs.items[i],
					      kernels->items[j]);
	}
	if (err)
		return err;
	return context->common->json ? print_json(downloader.array) : NULL;
}
