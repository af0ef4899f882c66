// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/catalog.h"
#include "common/command.h"
#include "common/error.h"
#include "common/http.h"
#include "common/store.h"
#include "vm/kernel.h"

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

	(void)status_ret;
	if (!kernels->count)
		return error_create(ERROR_USAGE,
				    "download: say which kernels with --kernel");
	err = command_load_catalog(context, &catalog);
	if (err)
		return err;
	err = catalog_check_names(catalog, &context->common->archs,
				  &context->common->flavors);
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
		const struct asset *asset =
			kernel_find_asset(&assets, arch->name, kernels->items[i],
					  &context->common->flavors);

		if (!asset)
			return command_no_kernel(context, kernels->items[i], arch,
						 &assets, store_name(store));
		err = kernel_download(store, asset, directory, &path);
		if (err)
			return err;
		puts(path);
	}
	return NULL;
}
