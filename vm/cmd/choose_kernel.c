// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <string.h>
#include <strings.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/github/workflow.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "vm/kernel/adopted.h"
#include "vm/kernel/kernel.h"

struct error *command_archs(const struct command_context *context,
			    struct string_list *ret)
{
	struct error *err;

	const struct string_list *archs = &context->common->archs;
	const struct string_list *kernels = &context->common->kernels;
	for (size_t i = 0; i < archs->count; i++) {
		if (!string_list_contains(ret, archs->items[i]))
			string_list_add(ret, archs->items[i]);
	}
	if (!archs->count) {
		const struct catalog_arch *host;

		err = catalog_host_arch(context->catalog, &host);
		if (err)
			return err;
		string_list_add(ret, host->name);
	}
	for (size_t i = 0; i < kernels->count && ret->count > 1; i++) {
		if (kernel_is_path(kernels->items[i]))
			return error_create(ERROR_USAGE,
					    "--kernel %s: a directory has a kernel of one architecture; name that one with --arch",
					    kernels->items[i]);
	}
	return NULL;
}

struct error *command_assets(struct command_context *context, bool optional,
			     struct asset_list *ret)
{
	struct error *err;

	err = command_open(context, COMMAND_STORE);
	if (!err)
		err = store_list(context->store, ret);
	if (!err || !optional || context->common->store ||
	    error_is(err, ERROR_CANCELLED) || error_is(err, ERROR_USAGE))
		return err;
	log_warning("only kernels on disk: %s", error_message(err));
	error_destroy(err);
	return NULL;
}

struct error *command_asset(const struct command_context *context,
			    const struct asset_list *assets, const char *arch,
			    const char *pattern, const struct asset **ret)
{
	const struct string_list *flavors = &context->common->flavors;
	_cleanup_kernel_list_ struct kernel_list list = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	kernel_list_add_store(&list, assets, arch);
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
			    arch, store_name(context->store),
			    assets->count ? "see vmtest-vm list"
					  : "it holds nothing: check --store");
}

/**
 * Elsewhere, packages may lack attestations, as those of drgn do: of the
 * catalog's own store, the catalog knows.
 */
static bool is_attested(const struct command_context *context)
{
	const struct catalog *catalog = context->catalog;
	_cleanup_free_ char *name =
		string_format("github:%s@%s", catalog->repository, catalog->tag);

	return catalog->attested &&
	       strcasecmp(store_name(context->store), name) == 0;
}

struct error *command_download(struct command_context *context,
			       const struct asset *asset, struct kernel *ret,
			       uint64_t *unpack_ms_ret)
{
	const struct common_options *common = context->common;
	const bool is_default = !command_line_has(&context->line, "verify");
	const struct download_checks checks = {
		.allows_unverified = common->allow_unverified,
		.verifies = common->verify || (is_default && workflow_is_active() &&
					       is_attested(context)),
		.program_is_optional = is_default,
	};

	return kernel_download(context->store, asset, context->directory,
			       &checks, ret, unpack_ms_ret);
}

struct error *command_kernel(struct command_context *context, const char *arch,
			     const char *pattern, struct kernel *ret)
{
	struct error *err;

	if (pattern && kernel_is_path(pattern) && kernel_is_package(pattern))
		return kernel_open(pattern, ret);
	err = command_open(context, COMMAND_DIRECTORY);
	if (err)
		return err;
	if (pattern && kernel_is_path(pattern)) {
		const struct catalog_arch *adopted;

		err = catalog_find_arch(context->catalog, arch, &adopted);
		return err ? err
			   : kernel_adopt(pattern, context->directory, adopted,
					  ret);
	}
	_cleanup_kernel_list_ struct kernel_list list = { 0 };
	err = kernel_list_add_disk(&list, context->directory, arch);
	if (err)
		return err;
	for (size_t i = 0; i < list.count; i++) {
		if (!kernel_is_wanted(&list.items[i], pattern,
				      &context->common->flavors))
			continue;
		err = kernel_open(list.items[i].path, ret);
		if (!err)
			cache_touch(ret->entry);
		if (!error_is(err, ERROR_NOT_FOUND))
			return err;
		// It is just being deleted, or no kernel.
		log_warning("%s", error_message(err));
		error_destroy(err);
	}
	_cleanup_asset_list_ struct asset_list assets = { 0 };
	err = command_assets(context, false, &assets);
	if (err)
		return err;
	const struct asset *asset;
	err = command_asset(context, &assets, arch, pattern, &asset);
	if (err)
		return error_wrap(err, "none in %s", context->directory);
	return command_download(context, asset, ret, NULL);
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
