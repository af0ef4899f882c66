// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/kbuild_commands.h"

#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "common/kernel/toolchain.h"
#include "common/kernel/version.h"
#include "kbuild/kbuild.h"
#include "kbuild/source/source.h"

struct kbuild_build_options {
	const char *source;
	const char *tarball;
	const char *version;
	const char *git;
	const char *ref;
	const char *output;
	const char *build_directory;
	/** enum kbuild_format */
	unsigned int format;
	unsigned int jobs;
	unsigned int rebuild;
};

#define OFFSET(field) .offset = offsetof(struct kbuild_build_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 's', "source", "DIR", "build this kernel tree, as it is", OPTION_STRING, OFFSET(source) },
	{ 0, "tarball", "FILE", "build what this tarball holds", OPTION_STRING, OFFSET(tarball) },
	{ 0, "version", "VERSION", "build this version of kernel.org", OPTION_STRING, OFFSET(version) },
	{ 0, "git", "URL", "build a tag or branch of this repository", OPTION_STRING, OFFSET(git) },
	{ 0, "ref", "REF", "which tag or branch", OPTION_STRING, OFFSET(ref) },
	{ 'o', "output", "DIR", "where the package goes", OPTION_STRING, OFFSET(output) },
	{ 0, "build-dir", "DIR", "where make works; is kept (default: in the output directory, deleted after a success)", OPTION_STRING, OFFSET(build_directory) },
	{ 0, "package-format", "tar.zst|directory", "how it is packed (default: tar.zst)", OPTION_CHOICE, OFFSET(format) },
	{ 'j', "jobs", "N", "how many compilers at once (default: one a processor)", OPTION_NUMBER, OFFSET(jobs), .min = 1 },
	{ 0, "rebuild", "N", "the N-th rebuild of this release", OPTION_NUMBER, OFFSET(rebuild) },
	{ 0 },
};
// clang-format on

/** What the arguments say to build: exactly one source. */
static struct error *find_source(const struct kbuild_build_options *build,
				 struct source_request *ret)
{
	unsigned int count = !!build->source + !!build->tarball +
			     !!build->version + !!build->git;

	if (count != 1)
		return error_create(
			ERROR_USAGE,
			"name one source with --source, --tarball, --version or --git");
	if (!build->git != !build->ref)
		return error_create(ERROR_USAGE,
				    "--git and --ref need each other");
	ret->url = build->git;
	ret->ref = build->ref;
	if (build->git) {
		ret->kind = SOURCE_GIT;
	} else if (build->version) {
		struct error *err = parse_version(build->version, &ret->version);

		if (err)
			return err;
		ret->kind = SOURCE_VERSION;
	} else if (build->tarball) {
		ret->kind = SOURCE_TARBALL;
		ret->path = build->tarball;
	} else {
		ret->kind = SOURCE_DIRECTORY;
		ret->path = build->source;
	}
	return NULL;
}

struct error *selection_make(const struct command_context *context,
			     struct selection *ret)
{
	struct error *err;
	const struct string_list *flavors = &context->common->flavors;

	if (flavors->count > 1)
		return error_create(ERROR_USAGE,
				    "one kernel has one flavor; name only one");
	struct selection selection;
	err = command_arch(context, &selection.arch);
	if (err)
		return err;
	err = catalog_find_flavor(context->catalog,
				  flavors->count ? flavors->items[0] : "default",
				  &selection.flavor);
	if (err)
		return err;
	*ret = selection;
	return NULL;
}

struct error *parse_version(const char *text, struct kernel_version *ret)
{
	if (!kernel_version_parse(text, ret))
		return error_create(ERROR_USAGE, "'%s' is no kernel version",
				    text);
	return NULL;
}

/** Have source and compiler ready, with what that needs of network and disk. */
static struct error *prepare(const struct command_context *context,
			     struct source_request *request, struct source *ret,
			     struct toolchain *toolchain_ret)
{
	struct error *err;

	request->catalog = context->catalog;
	request->http = context->http;
	request->cache_directory = context->directory;
	err = source_prepare(request, ret);
	if (err)
		return err;
	return toolchain_open(context->catalog, request->arch, &ret->version,
			      context->directory, context->http, toolchain_ret);
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct kbuild_build_options *build = context->options;

	if (!build->output)
		return error_create(ERROR_USAGE,
				    "name the output directory with --output");
	struct source_request wanted = { 0 };
	err = find_source(build, &wanted);
	if (err)
		return err;
	struct selection selection;
	err = selection_make(context, &selection);
	if (err)
		return err;
	_cleanup_source_ struct source source = { 0 };
	_cleanup_toolchain_ struct toolchain toolchain = { 0 };
	wanted.arch = selection.arch;
	err = prepare(context, &wanted, &source, &toolchain);
	if (err)
		return err;

	struct kbuild_request request = {
		.catalog = context->catalog,
		.arch = selection.arch,
		.compiler = toolchain.chosen,
		.source = &source,
		.output_directory = build->output,
		.build_directory = build->build_directory,
		.format = build->format,
		.jobs = build->jobs,
	};
	catalog_release(context->catalog, &source.version, selection.flavor,
			build->rebuild, &request.release);
	_cleanup_free_ char *path = NULL;
	err = kbuild_build(&request, &path);
	if (err)
		return err;
	puts(path);
	return NULL;
}

const struct command kbuild_build_command = {
	.name = "build",
	.summary = "build a kernel and pack it",
	.options = { options },
	.options_size = sizeof(struct kbuild_build_options),
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY | COMMAND_HTTP,
	.run = run,
};
