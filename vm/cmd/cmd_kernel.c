// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/commands.h"

#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/cache/cache.h"
#include "common/cli/command.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "vm/kernel/kernel.h"

struct error *command_arch(const struct command_context *context,
			   const struct catalog *catalog,
			   const struct catalog_arch **ret)
{
	const struct string_list *archs = &context->common->archs;

	if (archs->count > 1)
		return error_create(ERROR_USAGE, "--arch: name one architecture");
	if (archs->count)
		return catalog_find_arch(catalog, archs->items[0], ret);
	return catalog_host_arch(catalog, ret);
}

static bool contains_arch(const struct arch_list *list,
			  const struct catalog_arch *arch)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == arch)
			return true;
	}
	return false;
}

static struct error *check_folders(const struct string_list *kernels)
{
	for (size_t i = 0; i < kernels->count; i++) {
		if (kernel_is_path(kernels->items[i]))
			return error_create(ERROR_USAGE,
					    "--kernel %s: a folder has a kernel of one architecture; name that one with --arch",
					    kernels->items[i]);
	}
	return NULL;
}

struct error *command_archs(const struct command_context *context,
			    const struct catalog *catalog, struct arch_list *ret)
{
	struct error *err;

	const struct string_list *archs = &context->common->archs;
	_cleanup_arch_list_ struct arch_list list = { 0 };

	list.items = memory_allocate(archs->count + 1, sizeof(*list.items));
	if (!archs->count) {
		err = catalog_host_arch(catalog, &list.items[list.count++]);
		if (err)
			return err;
	}
	for (size_t i = 0; i < archs->count; i++) {
		const struct catalog_arch *arch;

		err = catalog_find_arch(catalog, archs->items[i], &arch);
		if (err)
			return err;
		if (!contains_arch(&list, arch))
			list.items[list.count++] = arch;
	}
	if (list.count > 1) {
		err = check_folders(&context->common->kernels);
		if (err)
			return err;
	}
	*ret = list;
	list = (struct arch_list){ 0 };
	return NULL;
}

struct error *command_no_kernel(const struct command_context *context,
				const char *pattern,
				const struct catalog_arch *arch,
				const struct asset_list *assets,
				const char *store)
{
	const struct string_list *flavors = &context->common->flavors;
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *flavor = NULL;

	for (size_t i = 0; i < flavors->count; i++)
		string_builder_appendf(&sb, "%s%s", i ? " or " : " of flavor ",
				       flavors->items[i]);
	flavor = string_builder_take(&sb);
	return error_create(ERROR_NOT_FOUND, "no kernel '%s'%s for %s in %s; %s",
			    pattern ? pattern : "*", flavor, arch->name, store,
			    assets->count ? "see vmtest-vm list"
					  : "it holds nothing: check --store");
}

struct error *command_assets(const struct command_context *context,
			     const struct catalog *catalog,
			     struct asset_list *ret)
{
	struct error *err;

	_cleanup_http_ struct http *http = NULL;
	_cleanup_store_ struct store *store = NULL;

	err = command_http(&http);
	if (!err)
		err = command_store(context, catalog, catalog->repository, http,
				    &store);
	if (!err)
		err = store_list(store, ret);
	return err;
}

static struct error *open_newest_on_disk(const struct command_context *context,
					 const char *directory,
					 const char *arch, const char *pattern,
					 bool *found_ret, struct kernel *ret)
{
	struct error *err;

	_cleanup_kernel_list_ struct kernel_list list = { 0 };

	err = kernel_list_load(directory, arch, &list);
	if (err)
		return err;
	for (size_t i = 0; i < list.count; i++) {
		const struct kernel_entry *entry = &list.items[i];

		if (!kernel_is_wanted(&entry->release, entry->text, pattern,
				      &context->common->flavors))
			continue;
		err = kernel_open(entry->path, ret);
		// It is just being deleted, or no kernel.
		if (error_is(err, ERROR_NOT_FOUND)) {
			log_warning("%s", error_message(err));
			error_destroy(err);
			continue;
		}
		if (!err)
			cache_touch(ret->entry);
		*found_ret = true;
		return err;
	}
	*found_ret = false;
	return NULL;
}

struct error *command_kernel(const struct command_context *context,
			     const struct catalog *catalog,
			     const struct catalog_arch *arch,
			     const char *pattern, struct kernel *ret)
{
	struct error *err;
	bool found;

	if (pattern && kernel_is_path(pattern))
		return kernel_open(pattern, ret);

	_cleanup_free_ char *directory = NULL;
	_cleanup_http_ struct http *http = NULL;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_asset_list_ struct asset_list assets = { 0 };

	err = command_directory(context, &directory);
	if (err)
		return err;
	err = open_newest_on_disk(context, directory, arch->name, pattern,
				  &found, ret);
	if (err || found)
		return err;
	err = command_http(&http);
	if (err)
		return err;
	err = command_store(context, catalog, catalog->repository, http, &store);
	if (err)
		return err;
	err = store_list(store, &assets);
	if (err)
		return err;

	const struct asset *asset =
		kernel_find_asset(&assets, arch->name, pattern,
				  &context->common->flavors);

	if (!asset)
		return error_wrap(command_no_kernel(context, pattern, arch,
						    &assets, store_name(store)),
				  "none in %s", directory);
	return kernel_download(store, asset, directory, ret, NULL);
}
