// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/store/store.h"
#include "vm/kernel/kernel.h"
#include "vm/suite/suite_list.h"

static struct error *add_directories(struct command_context *context,
				     struct suite *suite, const char *arch,
				     const struct string_list *directories)
{
	struct error *err;

	for (size_t i = 0; i < directories->count; i++) {
		_cleanup_kernel_ struct kernel kernel = { 0 };

		err = command_kernel(context, arch, directories->items[i],
				     &kernel);
		if (err)
			return err;
		suite_add_directory(suite, kernel.release, arch, kernel.path);
	}
	return NULL;
}

/**
 * Whether the store has to be asked what the patterns mean: each may be the
 * release of a kernel that is on disk, of each architecture.
 */
static bool need_store(const struct string_list *patterns, size_t arch_count,
		       const struct kernel_list *disk)
{
	bool need = !patterns->count;

	for (size_t i = 0; i < patterns->count; i++) {
		size_t count = 0;

		for (size_t j = 0; j < disk->count; j++)
			count += strcmp(disk->items[j].text,
					patterns->items[i]) == 0;
		need |= count < arch_count;
	}
	return need;
}

static struct error *choose(struct suite_setup *setup, enum suite_choice choice)
{
	struct error *err;
	struct command_context *context = setup->context;
	const struct suite_options *options = context->options;
	const struct string_list *kernels = &context->common->kernels;

	const struct string_list *archs = &setup->archs;
	err = command_archs(context, &setup->archs);
	if (err || choice == SUITE_NO_KERNELS)
		return err;
	_cleanup_string_list_ struct string_list directories = { 0 };
	_cleanup_string_list_ struct string_list patterns = { 0 };
	for (size_t i = 0; i < kernels->count; i++)
		string_list_add(kernel_is_path(kernels->items[i]) ? &directories
								  : &patterns,
				kernels->items[i]);
	// Of several architectures, command_archs() takes no directories.
	const char *arch = archs->items[0];
	if (directories.count && !patterns.count)
		return add_directories(context, &setup->suite, arch,
				       &directories);
	_cleanup_kernel_list_ struct kernel_list list = { 0 };
	for (size_t i = 0; i < archs->count; i++) {
		err = kernel_list_add_disk(&list, context->directory,
					   archs->items[i]);
		if (err)
			return err;
	}
	_cleanup_asset_list_ struct asset_list assets = { 0 };
	if (need_store(&patterns, archs->count, &list)) {
		// That all kernels of the disk have passed would say too little.
		err = command_assets(context, !options->all_kernels, &assets);
		if (err)
			return err;
	}
	for (size_t i = 0; i < archs->count; i++)
		kernel_list_add_store(&list, &assets, archs->items[i]);
	const struct suite_request request = {
		.choice = choice,
		.archs = archs,
		.kernels = &list,
		.patterns = &patterns,
		.catalog = options->all_kernels ? context->catalog : NULL,
		.flavors = &context->common->flavors,
	};
	err = suite_plan(&request, &setup->suite);
	if (err)
		return err;
	return add_directories(context, &setup->suite, arch, &directories);
}

/** Choose just the kernels of a list, whatever the command line says. */
static struct error *choose_listed(struct suite_setup *setup,
				   const struct suite_list *list)
{
	struct error *err;
	struct suite_options *options = setup->context->options;
	struct common_options *common = setup->context->common;

	options->all_kernels = false;
	string_list_deinit(&common->kernels);
	string_list_deinit(&common->archs);
	string_list_deinit(&common->flavors);
	for (size_t i = 0; i < list->count; i++) {
		const struct suite_listed *listed = &list->items[i];

		if (!string_list_contains(&common->kernels, listed->kernel))
			string_list_add(&common->kernels, listed->kernel);
		if (!string_list_contains(&common->archs, listed->arch))
			string_list_add(&common->archs, listed->arch);
	}
	err = choose(setup, SUITE_NEWEST_OF_SERIES);
	if (!err)
		suite_keep_listed(&setup->suite, list);
	return err;
}

/** It is called by the project's path, or where there is none, by ours. */
static struct error *find_failed_path(struct suite_setup *setup)
{
	_cleanup_free_ char *here = realpath(".", NULL);
	const char *path = setup->project.path ? setup->project.path : here;
	_cleanup_digest_ struct digest *digest = digest_create();
	char text[DIGEST_TEXT_SIZE];

	if (!path)
		return error_create_os(errno, "the working directory");
	digest_update(digest, path, strlen(path));
	digest_finish(digest, text);
	setup->failed_path =
		path_joinf(setup->context->directory, "failed/%s.json", text);
	return NULL;
}

struct error *suite_setup_keep_failed(const struct suite_setup *setup)
{
	struct error *err;

	_cleanup_free_ char *directory =
		path_join(setup->context->directory, "failed");
	err = directory_create(directory);
	return err ? err
		   : suite_list_write(&setup->suite, true, setup->failed_path);
}

struct error *suite_setup_choose(struct suite_setup *setup,
				 enum suite_choice choice)
{
	struct error *err;
	const struct suite_options *options = setup->context->options;

	err = find_failed_path(setup);
	if (err)
		return err;
	if (!options->rerun_failed)
		return choose(setup, choice);
	_cleanup_suite_list_ struct suite_list list = { 0 };
	err = suite_list_read(setup->failed_path, &list);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return error_create(ERROR_NOT_FOUND,
				    "--rerun-failed: this project was not tested yet");
	if (err || !list.count)
		return err;
	return choose_listed(setup, &list);
}
