// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/github/workflow.h"
#include "common/kernel/catalog.h"

enum {
	/** Directories of logs that are not deleted. */
	KEEP_LOGS = 20,
};

#define INTO(type, field) OPTION_INTO(type, struct suite_options, field)

// clang-format off
const struct command_option suite_option_table[] = {
	{ 0, "log-directory", "DIR", "where each kernel's logs go (default: a new directory below --directory)", INTO(OPTION_STRING, log_directory) },
	{ 0, "project", "FILE", "file to use instead of vmtest.json in the working directory", INTO(OPTION_STRING, project.path) },
	{ 0, "trust-project", NULL, TRUST_PROJECT_HELP, INTO(OPTION_FLAG, project.trust) },
	{ 0 },
};
// clang-format on

void suite_setup_deinit(struct suite_setup *setup)
{
	project_deinit(&setup->project);
	free(setup->command);
	free(setup->failed_path);
	free(setup->lock_path);
	free(setup->run.program);
	free(setup->run.log_directory);
	string_list_deinit(&setup->run.options);
	string_list_deinit(&setup->run.module_options);
	string_list_deinit(&setup->run.run_options);
	suite_deinit(&setup->suite);
	string_list_deinit(&setup->archs);
}

/** Whether the user trusts the project, if it needs it, now or since before. */
static struct error *find_trust(const struct project *project,
				const struct project_options *options, bool *ret)
{
	struct error *err;

	*ret = true;
	for (size_t i = 0; i < project->count; i++)
		*ret &= !project->settings[i].objection;
	// Nobody is asked, and nothing kept, where it does not matter.
	if (*ret)
		return NULL;
	_cleanup_free_ char *state =
		command_home("XDG_STATE_HOME", ".local/state");
	if (!options->trust)
		return project_is_trusted(project, state, ret);
	*ret = true;
	err = project_trust(project, state);
	// It holds for this call.
	if (err)
		log_warning("--trust-project is not kept: %s",
			    error_message(err));
	error_destroy(err);
	return NULL;
}

/** Set the options that the command has, and that the command line has not. */
static struct error *apply_settings(struct command_context *context,
				    struct project *project, bool is_trusted,
				    bool all_kernels)
{
	struct error *err;

	for (size_t i = 0; i < project->count; i++) {
		struct project_setting *setting = &project->settings[i];
		const char *name = setting->option;
		const struct command_slot *slot =
			command_line_find(&context->line, 0, name, strlen(name));

		if (!slot || (all_kernels && strcmp(name, "kernel") == 0) ||
		    (slot->given && slot->option->type != OPTION_ITEM))
			continue;
		if (setting->objection && !is_trusted)
			return take_ptr(setting->objection);
		err = command_line_set_default(&context->line, name,
					       &setting->values);
		if (err)
			return err;
	}
	return NULL;
}

struct error *command_load_project(struct command_context *context,
				   const struct project_options *options,
				   const char *fallback, bool all_kernels,
				   struct project *ret)
{
	struct error *err;

	const struct project_owners owners =
		project_owners_of(geteuid(), command_variable("SUDO_UID"));
	err = project_load(options->path, &owners, ret);
	if (err)
		return err;
	bool is_trusted;
	err = find_trust(ret, options, &is_trusted);
	if (err)
		return err;
	if (fallback && !ret->count && !ret->command.count &&
	    !context->line.argument_count) {
		_cleanup_free_ char *installed = NULL;

		project_deinit(ret);
		err = data_path(fallback, &installed);
		if (!err)
			err = project_load(installed, NULL, ret);
		if (err)
			return err;
		is_trusted = true;
	}
	return apply_settings(context, ret, is_trusted, all_kernels);
}

static struct error *choose_command(struct suite_setup *setup)
{
	struct command_context *context = setup->context;
	struct suite_options *options = context->options;

	// A list of the kernels runs nothing.
	if (context->line.argument_count || options->list) {
		setup->run.command = context->line.arguments;
		return NULL;
	}
	if (!setup->project.command.count)
		return error_create(ERROR_USAGE,
				    "say what to run: %s ... -- COMMAND, or \"command\" in vmtest.json",
				    context->command->name);
	setup->run.command = setup->project.command.items;
	if (!options->guest.config.directory)
		options->guest.config.directory = setup->project.directory;
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
	    !options->rerun_failed && !options->locked &&
	    !context->common->kernels.count)
		return error_create(
			ERROR_USAGE,
			"say which kernels: all with -K, some with -k, or \"kernels\" in vmtest.json");
	return run_options_check(&options->guest);
}

/** What no guest may write to; each run checks its own files, too. */
static struct error *check_places(const struct command_context *context)
{
	static const char summary[] = "GITHUB_STEP_SUMMARY";
	const struct suite_options *options = context->options;
	const struct place outputs[] = {
		{ "--log-directory", options->log_directory, PLACE_OUTPUT },
		{ "--junit", options->junit, PLACE_OUTPUT },
		{ "--dump-directory", options->guest.config.dump_directory,
		  PLACE_OUTPUT },
		{ summary, command_variable(summary), PLACE_OUTPUT },
	};

	return run_options_check_places(context, &options->guest, outputs,
					array_size(outputs));
}

static struct error *make_log_directory(struct suite_setup *setup)
{
	struct error *err;
	const struct suite_options *options = setup->context->options;

	if (!options->log_directory) {
		_cleanup_free_ char *parent =
			path_join(setup->context->directory, "logs");

		return suite_log_directory_create(parent, KEEP_LOGS,
						  &setup->run.log_directory);
	}
	err = directory_create(options->log_directory);
	if (err)
		return err;
	setup->run.log_directory = realpath(options->log_directory, NULL);
	if (!setup->run.log_directory)
		return error_create_os(errno, "%s", options->log_directory);
	return NULL;
}

/** What children are told of our own command line. */
static struct error *forward_options(struct suite_setup *setup)
{
	struct error *err;
	const struct suite_options *options = setup->context->options;
	const struct common_options common = {
		.store = setup->context->common->store,
		.catalog = setup->context->common->catalog,
		.directory = setup->context->directory,
		.verify = setup->context->common->verify,
		.allow_unverified = setup->context->common->allow_unverified,
	};
	struct suite_run_options *run = &setup->run;
	struct run_options guest = options->guest;

	for (size_t i = 0; i < setup->archs.count; i++) {
		const struct catalog_arch *arch;
		const char *denied = NULL;
		enum accel accel;

		err = catalog_find_arch(setup->context->catalog,
					setup->archs.items[i], &arch);
		if (!err && guest.config.qemu.accel == ACCEL_AUTO)
			err = accel_choose(ACCEL_AUTO, arch, &accel, &denied);
		if (err)
			return err;
		if (!denied)
			continue;
		// Said once, not by each child.
		log_info("emulated, and slow: %s", denied);
		guest.config.qemu.accel = ACCEL_TCG;
	}
	if (!guest.config.output_limit_bytes)
		guest.config.output_limit_bytes = GUEST_LOG_LIMIT_BYTES;
	command_format_options(common_option_table, &common, &run->options);
	if (!common.verify && command_line_has(&setup->context->line, "verify"))
		string_list_add(&run->options, "--no-verify");
	command_format_options(run_option_table, &guest, &run->run_options);
	if (options->guest.module_source)
		string_list_addf(&run->module_options, "--module-source=%s",
				 options->guest.module_source);
	for (size_t i = 0; i < setup->suite.count; i++)
		setup->suite.items[i].needs_module = options->guest.module !=
						     MODULE_NONE;
	run->jobs = options->jobs ? options->jobs : 1;
	if (options->jobs == OPTION_NUMBER_OMITTED)
		run->jobs = suite_jobs(processors_usable(), memory_available(),
				       qemu_memory_bytes(&guest.config.qemu));
	// A kernel takes 300 MB of a disk that has room for few of them.
	if (options->discard == DISCARD_YES ||
	    (options->discard == DISCARD_AUTO && workflow_is_active() &&
	     options->repeat <= 1 && !options->until_failure))
		run->discard_from = setup->context->directory;
	run->expected.splats = &setup->project.splats;
	time_t now = time(NULL);
	struct tm local;
	strftime(run->expected.today, DATE_SIZE, "%Y-%m-%d",
		 localtime_r(&now, &local));
	run->program = realpath("/proc/self/exe", NULL);
	if (!run->program)
		return error_create_os(errno, "/proc/self/exe");
	return NULL;
}

/** Say before the first test, and not after hours, that the disk will be full. */
static struct error *check_room(const struct suite_setup *setup,
				enum suite_choice choice)
{
	const char *directory = setup->context->directory;
	const struct suite_run_options *run = &setup->run;
	// A search needs few of its kernels, and nobody knows which.
	size_t at_once = run->discard_from		 ? run->jobs + 1
			 : choice == SUITE_EVERY_VERSION ? 1
							 : setup->suite.count;
	uint64_t bytes = suite_room_bytes(&setup->suite, at_once);
	struct statvfs disk;

	if (statvfs(directory, &disk) < 0)
		return error_create_os(errno, "%s", directory);
	uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (bytes <= free_bytes)
		return NULL;
	return error_create(ERROR_OTHER,
			    "%s: the disk has %" PRIu64
			    " MB left, and the kernels take %" PRIu64
			    " MB at least; make room (vmtest-vm prune)%s, or name another --directory",
			    directory, free_bytes / 1000000, bytes / 1000000,
			    run->discard_from ? "" : ", take --discard");
}

static void choose_view(struct suite_setup *setup)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	setup->view = SUITE_VIEW_LINES;
	if (workflow_is_active() && !setup->context->common->json)
		setup->view = SUITE_VIEW_GROUPS;
	else if (foreground_has_terminal(STDERR_FILENO) && log_level() >= LOG_INFO)
		setup->view = SUITE_VIEW_LIVE;
	for (char *const *word = setup->run.command; *word; word++) {
		if (word != setup->run.command)
			string_builder_append_char(&sb, ' ');
		string_builder_append_shell(&sb, *word);
	}
	setup->command = string_builder_take(&sb);
}

struct error *suite_setup_load(struct suite_setup *setup,
			       struct command_context *context,
			       enum suite_choice choice, const char *fallback)
{
	struct error *err;
	const struct suite_options *options = context->options;

	setup->context = context;
	err = command_load_project(context, &options->project, fallback,
				   options->all_kernels, &setup->project);
	if (err)
		return err;
	err = choose_command(setup);
	if (err)
		return err;
	err = command_open(context, COMMAND_CATALOG | COMMAND_DIRECTORY);
	if (err)
		return err;
	err = check_options(context, choice);
	if (err)
		return err;
	err = check_places(context);
	if (err)
		return err;
	err = suite_setup_choose(setup, choice);
	if (err || options->list)
		return err;
	err = make_log_directory(setup);
	if (err)
		return err;
	choose_view(setup);
	err = forward_options(setup);
	return err ? err : check_room(setup, choice);
}

struct error *suite_write_summary(const struct suite_setup *setup,
				  const char *text, const struct suite *suite)
{
	size_t room_bytes = workflow_summary_room();

	if (!room_bytes)
		return NULL;
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	suite_table_append_summary(&sb, setup->command, text, suite, room_bytes);
	return workflow_summary_write(sb.text);
}
