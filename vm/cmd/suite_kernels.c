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
	if (options->asks_store || options->locked ||
	    need_store(&patterns, archs->count, &list)) {
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

struct error *suite_setup_choose_listed(struct suite_setup *setup,
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
		suite_keep_listed(&setup->suite, list, true);
	return err;
}

/**
 * A list of failures is called by the project's path, or where there is none,
 * by ours.
 */
static struct error *find_lists(struct suite_setup *setup)
{
	const char *directory = setup->project.directory;
	_cleanup_free_ char *here = realpath(".", NULL);
	const char *path = setup->project.path ? setup->project.path : here;
	char text[DIGEST_TEXT_SIZE];

	if (!here)
		return error_create_os(errno, "the working directory");
	digest_buffer(path, strlen(path), text);
	setup->failed_path =
		path_joinf(setup->context->directory, "failed/%s.json", text);
	setup->lock_path = path_join(directory ? directory : here, "vmtest.lock");
	return NULL;
}

struct error *suite_setup_keep_failed(const struct suite_setup *setup)
{
	struct error *err;

	_cleanup_free_ char *directory =
		path_join(setup->context->directory, "failed");
	_cleanup_free_ char *text = suite_list_format(&setup->suite, true);
	err = directory_create(directory);
	return err ? err : file_write(setup->failed_path, text, strlen(text));
}

static struct error *choose_locked(struct suite_setup *setup)
{
	struct error *err;

	_cleanup_suite_list_ struct suite_list list = { 0 };
	err = suite_list_read(setup->lock_path, &list);
	if (error_catch(&err, ERROR_NOT_FOUND) || (!err && !list.count))
		return error_create(ERROR_NOT_FOUND,
				    "%s locks no kernels; vmtest-vm lock does",
				    setup->lock_path);
	if (err)
		return err;
	for (size_t i = 0; i < list.count; i++) {
		struct release release;

		// A directory's makefiles would be run.
		if (!release_parse(list.items[i].kernel, &release))
			return error_create(ERROR_USAGE, "%s: '%s' is no release",
					    setup->lock_path,
					    list.items[i].kernel);
	}
	err = suite_setup_choose_listed(setup, &list);
	if (err)
		return error_wrap(err, "%s", setup->lock_path);
	return suite_check_list(&setup->suite, &list, setup->lock_path);
}

struct error *suite_setup_choose(struct suite_setup *setup,
				 enum suite_choice choice)
{
	struct error *err;
	const struct suite_options *options = setup->context->options;

	err = find_lists(setup);
	if (err)
		return err;
	if (options->locked)
		return choose_locked(setup);
	if (!options->rerun_failed)
		return choose(setup, choice);
	_cleanup_suite_list_ struct suite_list list = { 0 };
	err = suite_list_read(setup->failed_path, &list);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return error_create(ERROR_NOT_FOUND,
				    "--rerun-failed: this project was not tested yet");
	if (err || !list.count)
		return err;
	return suite_setup_choose_listed(setup, &list);
}
