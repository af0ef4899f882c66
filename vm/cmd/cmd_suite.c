// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/cmd_suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/cli/command.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "vm/cmd/commands.h"
#include "vm/kernel/kernel.h"
#include "vm/suite/logs.h"

enum {
	/** Folders of logs that are not deleted. */
	KEEP_LOGS = 20,
};

void suite_setup_deinit(struct suite_setup *setup)
{
	project_deinit(&setup->project);
	arch_list_deinit(&setup->archs);
	catalog_destroy(setup->catalog);
	free(setup->directory);
	free(setup->program);
	free(setup->log_directory);
	string_list_deinit(&setup->download_options);
	string_list_deinit(&setup->module_options);
	string_list_deinit(&setup->run_options);
	suite_deinit(&setup->suite);
}

static struct error *load_project(struct suite_setup *setup,
				  const struct command_context *context,
				  const char *fallback)
{
	struct error *err;

	const struct suite_options *options = context->options;
	_cleanup_free_ char *path = NULL;

	err = project_load(options->project, &setup->project);
	if (err || setup->project.count || setup->project.command.count ||
	    context->argument_count || !fallback)
		return err;
	project_deinit(&setup->project);
	err = data_path(fallback, &path);
	if (err)
		return err;
	return project_load(path, &setup->project);
}

static struct error *apply_project(struct suite_setup *setup,
				   const struct command_context *context,
				   const char *fallback)
{
	struct error *err;

	struct suite_options *options = context->options;

	err = load_project(setup, context, fallback);
	if (err)
		return err;
	for (size_t i = 0; i < setup->project.count; i++) {
		const struct project_setting *setting =
			&setup->project.settings[i];

		// -K means other kernels than the file's.
		if (options->all_kernels && strcmp(setting->option, "kernel") == 0)
			continue;
		err = command_set_default(context, setting->option,
					  &setting->values);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *choose_command(struct suite_setup *setup,
				    const struct command_context *context)
{
	struct suite_options *options = context->options;

	// A list of the kernels runs nothing.
	if (context->argument_count || options->list) {
		setup->run.command = context->arguments;
		return NULL;
	}
	if (!setup->project.command.count)
		return error_create(ERROR_USAGE,
				    "say what to run: %s ... -- COMMAND, or \"command\" in vmtest.json",
				    context->command->name);
	setup->run.command = setup->project.command.items;
	if (!options->guest.directory)
		options->guest.directory = setup->project.directory;
	return NULL;
}

static struct error *choose_jobs(struct suite_setup *setup,
				 const struct command_context *context)
{
	const struct suite_options *options = context->options;

	if (command_was_given(context, "jobs") && !options->jobs)
		return error_create(ERROR_USAGE, "--jobs 0: at least 1");
	setup->run.jobs = options->jobs ? options->jobs : 1;
	if (options->jobs == OPTION_NUMBER_OMITTED)
		setup->run.jobs = processors_usable();
	return NULL;
}

static struct error *check_options(const struct command_context *context,
				   enum suite_choice choice)
{
	const struct suite_options *options = context->options;

	if (options->all_kernels && context->common->kernels.count)
		return error_create(ERROR_USAGE,
				    "--all-kernels and --kernel: choose one of them");
	if (choice == SUITE_NEWEST_OF_SERIES && !options->all_kernels &&
	    !context->common->kernels.count)
		return error_create(
			ERROR_USAGE,
			"say which kernels: all with -K, some with -k, or \"kernels\" in vmtest.json");
	return run_options_check(&options->guest);
}

static struct error *choose_archs(struct suite_setup *setup,
				  const struct command_context *context,
				  enum suite_choice choice)
{
	struct error *err;

	// Versions of one kernel have an order, those of several have none.
	if (choice == SUITE_EVERY_VERSION) {
		const struct catalog_arch *arch;

		err = command_arch(context, setup->catalog, &arch);
		if (err)
			return err;
	}
	return command_archs(context, setup->catalog, &setup->archs);
}

/** @param[out] folders_ret Those that are given by their path. */
static void split_patterns(const struct string_list *kernels,
			   struct string_list *folders_ret,
			   struct string_list *patterns_ret)
{
	for (size_t i = 0; i < kernels->count; i++)
		string_list_add(kernel_is_path(kernels->items[i]) ? folders_ret
								  : patterns_ret,
				kernels->items[i]);
}

/** Of several architectures no folders are taken (command_archs()). */
static struct error *add_folders(struct suite_setup *setup,
				 const struct string_list *folders)
{
	struct error *err;

	for (size_t i = 0; i < folders->count; i++) {
		_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;

		err = kernel_open(folders->items[i], &kernel);
		if (!err)
			suite_add_directory(&setup->suite, kernel.release,
					    setup->archs.items[0]->name,
					    kernel.path);
		if (err)
			return err;
	}
	return NULL;
}

/** What is on disk, a list for each architecture. */
struct disks {
	struct kernel_list *items;
	size_t count;
};

static void disks_deinit(struct disks *disks)
{
	for (size_t i = 0; i < disks->count; i++)
		kernel_list_deinit(&disks->items[i]);
	free(disks->items);
}

static struct error *disks_load(struct disks *disks, const char *directory,
				const struct arch_list *archs)
{
	disks->items = memory_allocate(archs->count, sizeof(*disks->items));
	for (; disks->count < archs->count; disks->count++) {
		struct error *err =
			kernel_list_load(directory,
					 archs->items[disks->count]->name,
					 &disks->items[disks->count]);

		if (err)
			return err;
	}
	return NULL;
}

/** Whether each pattern is the release of a kernel that is on disk. */
static bool are_on_disk(const struct string_list *patterns,
			const struct kernel_list *disk)
{
	for (size_t i = 0; i < patterns->count; i++) {
		bool found = false;

		for (size_t j = 0; j < disk->count && !found; j++)
			found = strcmp(disk->items[j].text,
				       patterns->items[i]) == 0;
		if (!found)
			return false;
	}
	return true;
}

/** Whether the store has to be asked what the patterns mean. */
static bool need_store(const struct string_list *patterns,
		       const struct disks *disks)
{
	for (size_t i = 0; i < disks->count && patterns->count; i++) {
		if (!are_on_disk(patterns, &disks->items[i]))
			return true;
	}
	return !patterns->count;
}

/**
 * A store that cannot be asked leaves the disk to those who have named their
 * kernels. That all kernels of the disk have passed would say too little.
 */
static struct error *store_failed(const struct command_context *context,
				  struct error *err)
{
	const struct suite_options *options = context->options;

	if (options->all_kernels || context->common->store ||
	    error_is(err, ERROR_CANCELLED) || error_is(err, ERROR_USAGE))
		return err;
	log_warning("only kernels on disk: %s", error_message(err));
	error_destroy(err);
	return NULL;
}

static struct error *choose_kernels(struct suite_setup *setup,
				    const struct command_context *context,
				    enum suite_choice choice)
{
	struct error *err;

	const struct suite_options *options = context->options;
	const struct string_list *kernels = &context->common->kernels;
	_cleanup_string_list_ struct string_list folders = STRING_LIST_INIT;
	_cleanup_string_list_ struct string_list patterns = STRING_LIST_INIT;
	_cleanup_(disks_deinit) struct disks disks = { 0 };
	_cleanup_asset_list_ struct asset_list assets = { 0 };
	struct suite_request request = {
		.choice = choice,
		.archs = setup->archs.items,
		.arch_count = setup->archs.count,
		.assets = &assets,
		.patterns = &patterns,
		.catalog = options->all_kernels ? setup->catalog : NULL,
		.flavors = &context->common->flavors,
	};

	split_patterns(kernels, &folders, &patterns);
	if (folders.count && !patterns.count)
		return add_folders(setup, &folders);
	err = disks_load(&disks, setup->directory, &setup->archs);
	if (err)
		return err;
	request.disks = disks.items;
	if (need_store(&patterns, &disks)) {
		err = command_assets(context, setup->catalog, &assets);
		if (err)
			err = store_failed(context, err);
		if (err)
			return err;
	}
	err = suite_plan(&request, &setup->suite);
	return err ? err : add_folders(setup, &folders);
}

static struct error *make_log_directory(struct suite_setup *setup,
					const struct command_context *context)
{
	struct error *err;

	const struct suite_options *options = context->options;
	_cleanup_free_ char *parent = NULL;

	if (options->log_directory) {
		err = directory_create(options->log_directory);
		if (err)
			return err;
		setup->log_directory = realpath(options->log_directory, NULL);
		if (!setup->log_directory)
			return error_create_os(errno, "%s",
					       options->log_directory);
		return NULL;
	}
	parent = path_join(setup->directory, "logs");
	return logs_create(parent, KEEP_LOGS, &setup->log_directory);
}

/** What children are told of our own command line. */
static struct error *forward_options(struct suite_setup *setup,
				     const struct command_context *context)
{
	const struct suite_options *options = context->options;
	const struct common_options *common = context->common;
	struct string_list *download = &setup->download_options;
	struct string_list *module = &setup->module_options;
	struct string_list *run = &setup->run_options;
	struct string_list *all[] = { download, module, run };

	for (size_t i = 0; i < array_size(all); i++) {
		string_list_addf(all[i], "--directory=%s", setup->directory);
		if (common->catalog)
			string_list_addf(all[i], "--catalog=%s", common->catalog);
		if (common->store)
			string_list_addf(all[i], "--store=%s", common->store);
	}
	if (options->guest.module_source)
		string_list_addf(module, "--module-source=%s",
				 options->guest.module_source);
	for (size_t i = 0; i < setup->suite.count; i++)
		setup->suite.items[i].needs_module = options->guest.module;
	command_format_options(run_option_table, &options->guest, run);
	setup->program = realpath("/proc/self/exe", NULL);
	if (!setup->program)
		return error_create_os(errno, "/proc/self/exe");
	setup->run.program = setup->program;
	setup->run.download_options = download;
	setup->run.module_options = module;
	setup->run.run_options = run;
	setup->run.log_directory = setup->log_directory;
	return NULL;
}

struct error *suite_setup_choose(struct suite_setup *setup,
				 const struct command_context *context,
				 enum suite_choice choice, const char *fallback)
{
	struct error *err;

	err = apply_project(setup, context, fallback);
	if (!err)
		err = choose_command(setup, context);
	if (!err)
		err = choose_jobs(setup, context);
	if (!err)
		err = command_load_catalog(context, &setup->catalog);
	if (!err)
		err = check_options(context, choice);
	if (!err)
		err = choose_archs(setup, context, choice);
	if (!err)
		err = command_directory(context, &setup->directory);
	if (!err)
		err = choose_kernels(setup, context, choice);
	return err;
}

struct error *suite_setup_load(struct suite_setup *setup,
			       const struct command_context *context,
			       enum suite_choice choice, const char *fallback)
{
	struct error *err;

	err = suite_setup_choose(setup, context, choice, fallback);
	if (!err)
		err = make_log_directory(setup, context);
	if (!err)
		err = forward_options(setup, context);
	return err;
}
