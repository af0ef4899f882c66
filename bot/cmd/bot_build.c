// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <stdio.h>
#include <string.h>

#include "bot/build/build_result.h"
#include "bot/build/kernel_build.h"
#include "bot/plan/plan.h"
#include "bot/report/report.h"
#include "common/archive/digest.h"
#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/github/workflow_command.h"
#include "common/kernel/catalog.h"
#include "vm/suite/logs.h"

enum {
	/** Of the log, in the result. */
	TAIL_LINES = 40,
	TAIL_BYTES = 16 << 10,
};

struct bot_build_options {
	const char *tarball;
	const char *output;
	const char *result;
	unsigned int jobs;
};

#define OFFSET(field) .offset = offsetof(struct bot_build_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 0, "tarball", "FILE", "kernel.org's tarball, as 'vmtest-kbuild fetch' writes it (default: download it)", OPTION_STRING, OFFSET(tarball) },
	{ 'o', "output", "DIR", "where the package goes, and build.log", OPTION_STRING, OFFSET(output) },
	{ 0, "result", "FILE", "write how it ended to FILE, as JSON, for 'finish'", OPTION_STRING, OFFSET(result) },
	{ 'j', "jobs", "N", "compilers at once (default: one a processor)", OPTION_NUMBER, OFFSET(jobs), .min = 1 },
	{ 0 },
};
// clang-format on

/** One kernel to build, and where to. */
struct job {
	const struct command_context *context;
	const struct bot_build_options *options;
	struct plan_item item;
	char *log_path;
	/** Where the package goes. */
	char *path;
};

static void job_deinit(struct job *job)
{
	free(job->log_path);
	free(job->path);
}

/** The release must be one that the catalog makes, in any PATCH. */
static struct error *parse_release(struct plan_item *item,
				   const struct catalog *catalog,
				   const char *text)
{
	struct error *err;
	const struct catalog_flavor *flavor;
	struct release made;
	char made_text[RELEASE_TEXT_SIZE];

	if (!release_parse(text, &item->release))
		return error_create(ERROR_USAGE,
				    "'%s' is no release, such as 6.12.117-vmtest1.1default",
				    text);
	err = catalog_find_flavor(catalog, item->release.flavor, &flavor);
	if (err)
		return err;
	catalog_release(catalog, &item->release.version, flavor,
			item->release.patch, &made);
	release_format(&made, made_text);
	release_format(&item->release, item->release_text);
	if (strcmp(made_text, item->release_text) != 0)
		return error_create(ERROR_USAGE,
				    "the catalog makes %s, and no %s",
				    made_text, item->release_text);
	return NULL;
}

/** Have the output directory, with an empty log, and no earlier run's result. */
static struct error *prepare_output(struct job *job)
{
	struct error *err;
	const char *output = job->options->output;
	char name[PACKAGE_NAME_SIZE];

	package_name_format(job->item.release_text, job->item.arch->name, name);
	err = directory_create(output);
	if (err)
		return err;
	job->log_path = path_join(output, "build.log");
	job->path = path_join(output, name);
	err = file_write(job->log_path, "", 0);
	if (err || !job->options->result)
		return err;
	return error_wrap(file_delete(job->options->result), "--result");
}

static struct error *job_init(struct job *job, struct command_context *context)
{
	struct error *err;

	job->context = context;
	job->options = context->options;
	if (context->argument_count != 1)
		return error_create(
			ERROR_USAGE,
			"name one release to build, such as 6.12.117-vmtest1.1default");
	if (!job->options->output)
		return error_create(ERROR_USAGE,
				    "name the output directory with --output");
	err = parse_release(&job->item, context->catalog, context->arguments[0]);
	if (err)
		return err;
	err = command_arch(context, &job->item.arch);
	return err ? err : prepare_output(job);
}

/** Build, and take the package to where it is wanted. */
static struct error *build(const struct job *job, struct kernel_build *build)
{
	struct error *err;
	const struct build_request request = {
		.catalog = job->context->catalog,
		.http = job->context->http,
		.directory = job->context->directory,
		.tarball = job->options->tarball,
		.log_path = job->log_path,
		.jobs = job->options->jobs,
	};

	err = kernel_build_run(&request, &job->item, build);
	if (err)
		return err;
	err = file_install(build->package, job->path);
	return err ? err : kernel_build_discard(build);
}

/** @param[in] failure NULL if it was built. */
static struct error *write_result(const struct job *job,
				  struct kernel_build *build,
				  const struct error *failure)
{
	struct error *err = NULL;

	struct build_result *result = &build->result;
	build_result_end(result, failure);
	if (failure)
		result->log = logs_tail(job->log_path, TAIL_LINES, TAIL_BYTES);
	else
		err = digest_file(job->path, result->digest, &result->size_bytes);
	if (err)
		return error_wrap(err, "--result");
	_cleanup_free_ char *text = build_result_format(result);
	return error_wrap(file_write(job->options->result, text, strlen(text)),
			  "--result");
}

static struct error *run(struct command_context *context)
{
	struct error *err;

	_cleanup_(job_deinit) struct job job = { 0 };
	err = job_init(&job, context);
	if (err)
		return err;
	_cleanup_kernel_build_ struct kernel_build made = { 0 };
	struct workflow_group group;
	workflow_group_begin(&group, "%s for %s", job.item.release_text,
			     job.item.arch->name);
	_cleanup_error_ struct error *failure = build(&job, &made);
	workflow_group_end(&group);
	bool is_cancelled = error_is(failure, ERROR_CANCELLED);
	if (failure && !is_cancelled)
		report_failure(&job.item, made.result.clock.current, failure);
	if (job.options->result) {
		err = write_result(&job, &made, failure);
		if (err)
			return err;
	}
	if (is_cancelled)
		return take_ptr(failure);
	context->status = failure ? 1 : 0;
	if (!failure)
		puts(job.path);
	return NULL;
}

const struct command bot_build_command = {
	.name = "build",
	.arguments = "RELEASE",
	.summary = "build one kernel, and boot it; no store is asked",
	.details = "The package is the one that 'run' would publish: the same bytes, under the same\n"
		   "name. --arch takes one architecture.",
	.options = { options },
	.options_size = sizeof(struct bot_build_options),
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY | COMMAND_HTTP,
	.run = run,
};
