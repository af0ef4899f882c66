// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "vm/kernel/kernel.h"

struct error *command_archs(const struct command_context *context,
			    struct arch_list *ret)
{
	struct error *err;

	const struct string_list *archs = &context->common->archs;
	const struct string_list *kernels = &context->common->kernels;
	_cleanup_arch_list_ struct arch_list list = { 0 };
	for (size_t i = 0; i < archs->count; i++) {
		const struct catalog_arch *arch;

		err = catalog_find_arch(context->catalog, archs->items[i], &arch);
		if (err)
			return err;
		size_t j = 0;
		while (j < list.count && list.items[j] != arch)
			j++;
		if (j == list.count)
			vector_add(&list) = arch;
	}
	if (!archs->count) {
		err = catalog_host_arch(context->catalog, &vector_add(&list));
		if (err)
			return err;
	}
	for (size_t i = 0; i < kernels->count && list.count > 1; i++) {
		if (kernel_is_path(kernels->items[i]))
			return error_create(ERROR_USAGE,
					    "--kernel %s: a directory has a kernel of one architecture; name that one with --arch",
					    kernels->items[i]);
	}
	*ret = take(list);
	return NULL;
}

struct error *command_assets(struct command_context *context,
			     struct asset_list *ret)
{
	struct error *err;

	err = command_open(context, COMMAND_STORE);
	return err ? err : store_list(context->store, ret);
}

struct error *command_asset(const struct command_context *context,
			    const struct asset_list *assets,
			    const struct catalog_arch *arch,
			    const char *pattern, const struct asset **ret)
{
	const struct string_list *flavors = &context->common->flavors;
	_cleanup_kernel_list_ struct kernel_list list = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	kernel_list_add_store(&list, assets, arch->name);
	for (size_t i = 0; i < list.count; i++) {
		if (kernel_is_wanted(&list.items[i], pattern, flavors)) {
			*ret = list.items[i].asset;
			return NULL;
		}
	}
	for (size_t i = 0; i < flavors->count; i++)
		string_builder_appendf(&sb, "%s%s", i ? " or " : " of flavor ",
				       flavors->items[i]);
	return error_create(ERROR_NOT_FOUND, "no kernel '%s'%s for %s in %s; %s",
			    pattern ? pattern : "*", sb.text ? sb.text : "",
			    arch->name, store_name(context->store),
			    assets->count ? "see vmtest-vm list"
					  : "it holds nothing: check --store");
}

/** @return ERROR_NOT_FOUND if there is none. */
static struct error *open_newest_on_disk(const struct command_context *context,
					 const char *arch, const char *pattern,
					 struct kernel *ret)
{
	struct error *err;

	_cleanup_kernel_list_ struct kernel_list list = { 0 };
	err = kernel_list_add_disk(&list, context->directory, arch);
	if (err)
		return err;
	for (size_t i = 0; i < list.count; i++) {
		if (!kernel_is_wanted(&list.items[i], pattern,
				      &context->common->flavors))
			continue;
		err = kernel_open(list.items[i].path, ret);
		// It is just being deleted, or no kernel.
		if (error_is(err, ERROR_NOT_FOUND)) {
			log_warning("%s", error_message(err));
			error_destroy(err);
			continue;
		}
		if (!err)
			cache_touch(ret->entry);
		return err;
	}
	return error_create(ERROR_NOT_FOUND, "none in %s", context->directory);
}

struct error *command_kernel(struct command_context *context,
			     const struct catalog_arch *arch,
			     const char *pattern, struct kernel *ret)
{
	struct error *err;

	if (pattern && kernel_is_path(pattern))
		return kernel_open(pattern, ret);
	err = command_open(context, COMMAND_DIRECTORY);
	if (err)
		return err;
	err = open_newest_on_disk(context, arch->name, pattern, ret);
	if (!error_catch(&err, ERROR_NOT_FOUND))
		return err;
	_cleanup_asset_list_ struct asset_list assets = { 0 };
	err = command_assets(context, &assets);
	if (err)
		return err;
	const struct asset *asset;
	err = command_asset(context, &assets, arch, pattern, &asset);
	if (err)
		return error_wrap(err, "none in %s", context->directory);
	return kernel_download(context->store, asset, context->directory, ret,
			       NULL);
}

void add_kernel_names(const struct command_context *context,
		      struct string_list *ret)
{
	_cleanup_kernel_list_ struct kernel_list list = { 0 };

	// What cannot be read has none.
	for (size_t i = 0; i < context->catalog->arch_count; i++)
		error_destroy(
			kernel_list_add_disk(&list, context->directory,
					     context->catalog->archs[i].name));
	for (size_t i = 0; i < list.count; i++)
		string_list_add(ret, list.items[i].text);
}

struct error *command_go_on(struct command_context *context, struct error *err,
			    bool is_last)
{
	if (!err || is_last || error_is(err, ERROR_CANCELLED) ||
	    error_is(err, ERROR_USAGE))
		return err;
	log_error("%s", error_message(err));
	error_destroy(err);
	context->status = 1;
	return NULL;
}
