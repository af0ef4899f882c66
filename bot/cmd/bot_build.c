// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "bot/build/build.h"
#include "bot/plan/plan.h"
#include "bot/report/report.h"
#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/github/workflow.h"
#include "common/kernel/catalog.h"

struct bot_build_options {
	/** As far as options say it. */
	struct build_request request;
	const char *output;
	const char *result;
};

#define INTO(type, field) OPTION_INTO(type, struct bot_build_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 0, "tarball", "FILE", "kernel.org's tarball, as 'vmtest-kbuild fetch' writes it, with FILE.sign (default: download it)", INTO(OPTION_STRING, request.tarball) },
	{ 'o', "output", "DIR", "where the package goes, and build.log", INTO(OPTION_STRING, output) },
	{ 0, "result", "FILE", "write how it ended to FILE, as JSON, for 'finish'", INTO(OPTION_STRING, result) },
	{ 'j', "jobs", "N", "compilers at once (default: one a processor)", INTO(OPTION_NUMBER, request.jobs), .min = 1 },
	{ 0 },
};
// clang-format on

/** What to build: the release must be one that the catalog makes, in any PATCH. */
static struct error *parse(const struct command_context *context,
			   struct plan_item *item)
{
	struct error *err;

	static const char example[] = "such as 6.12.117-vmtest1.1default";
	const struct bot_build_options *build_options = context->options;
	if (context->line.argument_count != 1)
		return error_create(ERROR_USAGE,
				    "name one release to build, %s", example);
	if (!build_options->output)
		return error_create(ERROR_USAGE,
				    "name the output directory with --output");
	struct release *release = &item->release;
	if (!release_parse(context->line.arguments[0], release))
		return error_create(ERROR_USAGE, "'%s' is not a release, %s",
				    context->line.arguments[0], example);
	const struct catalog_flavor *flavor;
	err = catalog_find_flavor(context->catalog, release->flavor, &flavor);
	if (err)
		return err;
	struct release made;
	char made_text[RELEASE_TEXT_SIZE];
	catalog_release(context->catalog, &release->version, flavor,
			release->patch, &made);
	release_format(&made, made_text);
	release_format(release, item->release_text);
	if (strcmp(made_text, item->release_text) != 0)
		return error_create(ERROR_USAGE, "the catalog makes %s, not %s",
				    made_text, item->release_text);
	err = command_arch(context, &item->arch);
	if (err)
		return err;
	return catalog_flavor_check(flavor, item->arch, &release->version);
}

/** Build, and take the package to where it is wanted. */
static struct error *build(const struct build_request *request,
			   const struct plan_item *item, const char *path,
			   struct kernel_build *made)
{
	struct error *err;

	err = kernel_build_run(request, item, made);
	if (err)
		return err;
	err = file_install(made->package, path);
	return err ? err : kernel_build_discard(made);
}

/**
 * @param[in,out] result Its end is noted.
 * @param[in] package Path of the package, if it was built.
 */
static struct error *write_result(const char *path, const char *package,
				  struct build_result *result)
{
	struct error *err;

	if (result->outcome == BUILD_BUILT) {
		err = digest_file(package, result->digest, &result->size_bytes);
		if (err)
			return error_wrap(err, "--result");
	}
	_cleanup_free_ char *text = build_result_format(result);
	return error_wrap(user_file_write(path, text, strlen(text)), "--result");
}

static struct error *run(struct command_context *context)
{
	struct error *err;

	const struct bot_build_options *build_options = context->options;
	struct plan_item item = { 0 };
	err = parse(context, &item);
	if (err)
		return err;
	char name[PACKAGE_NAME_SIZE];
	package_name_format(item.release_text, item.arch->name, name);
	_cleanup_free_ char *path = path_join(build_options->output, name);
	_cleanup_free_ char *log_path =
		path_join(build_options->output, "build.log");
	err = directory_create(build_options->output);
	if (err)
		return err;
	// An earlier run's log and result must not be taken for this run's.
	err = file_write(log_path, "", 0);
	if (!err && build_options->result)
		err = error_wrap(user_file_delete(build_options->result),
				 "--result");
	if (err)
		return err;
	struct build_request request = build_options->request;
	request.catalog = context->catalog;
	request.http = context->http;
	request.directory = context->directory;
	request.log_path = log_path;
	request.qemu = command_variable("VMTEST_QEMU");
	// Not the kernel's fault: without a result, its job has failed.
	err = boot_check(&request, item.arch);
	if (err)
		return err;
	_cleanup_kernel_build_ struct kernel_build made = { 0 };
	struct workflow_group group;
	workflow_group_begin(&group, "%s for %s", item.release_text,
			     item.arch->name);
	_cleanup_error_ struct error *failure =
		build(&request, &item, path, &made);
	workflow_group_end(&group);
	// Nor does this say anything about it.
	if (error_is(failure, ERROR_CANCELLED))
		return take_ptr(failure);
	build_result_end(&made.result, failure);
	if (failure) {
		made.result.log = build_log_excerpt(log_path);
		report_failure(&item, &made.result);
	}
	if (build_options->result) {
		err = write_result(build_options->result, path, &made.result);
		if (err)
			return err;
	}
	context->status = !failure				     ? 0
			  : made.result.outcome == BUILD_UNAVAILABLE ? EX_TEMPFAIL
								     : 1;
	if (!failure)
		puts(path);
	return NULL;
}

const struct command bot_build_command = {
	.name = "build",
	.arguments = "RELEASE",
	.summary = "build one kernel, and boot it; no store is asked",
	.details =
		"The package is the one that 'run' would publish: the same bytes, under the same\n"
		"name. --arch takes one architecture. The exit status is 75 if kernel.org does not have\n"
		"the source or its signature, yet: 'finish' takes it for skipped.",
	.options = { options },
	.options_size = sizeof(struct bot_build_options),
	.common = COMMON_ARCH | COMMON_DIRECTORY | COMMON_ALLOW_UNVERIFIED,
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY,
	.run = run,
};
