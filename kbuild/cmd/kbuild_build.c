// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/kbuild_commands.h"

#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/kernel/release.h"
#include "kbuild/kbuild.h"
#include "kbuild/source/source.h"

struct kbuild_build_options {
	const char *source;
	const char *tarball;
	const char *version;
	/** As far as options say them. */
	struct source_request wanted;
	struct kbuild_request request;
	unsigned int rebuild;
	struct selection_options selection;
};

#define OFFSET(field) .offset = offsetof(struct kbuild_build_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 's', "source", "DIR", "build this kernel tree, as it is", OPTION_STRING, OFFSET(source) },
	{ 0, "tarball", "FILE", "build what this tarball holds", OPTION_STRING, OFFSET(tarball) },
	{ 0, "version", "VERSION", "build this version of kernel.org", OPTION_STRING, OFFSET(version) },
	{ 0, "git", "URL", "build a tag or branch of this repository", OPTION_STRING, OFFSET(wanted.url) },
	{ 0, "ref", "REF", "which tag or branch", OPTION_STRING, OFFSET(wanted.ref) },
	SELECTION_OPTIONS(struct kbuild_build_options, selection),
	{ 'o', "output", "DIR", "where the package goes", OPTION_STRING, OFFSET(request.output_directory) },
	{ 0, "build-dir", "DIR", "where make works; is kept (default: in the output directory, deleted after a success)", OPTION_STRING, OFFSET(request.build_directory) },
	{ 0, "package-format", "tar.zst|directory", "how it is packed (default: tar.zst)", OPTION_CHOICE, OFFSET(request.format) },
	{ 'j', "jobs", "N", "how many compilers at once (default: one a processor)", OPTION_NUMBER, OFFSET(request.jobs), .min = 1 },
	{ 0, "rebuild", "N", "the N-th rebuild of this release", OPTION_NUMBER, OFFSET(rebuild) },
	{ 0 },
};
// clang-format on

/** What the arguments say to build: exactly one source. */
static struct error *find_source(struct kbuild_build_options *build)
{
	struct source_request *wanted = &build->wanted;
	unsigned int count = !!build->source + !!build->tarball +
			     !!build->version + !!wanted->url;

	if (count != 1)
		return error_create(
			ERROR_USAGE,
			"name one source with --source, --tarball, --version or --git");
	if (!wanted->url != !wanted->ref)
		return error_create(ERROR_USAGE,
				    "--git and --ref need each other");
	wanted->path = build->tarball ? build->tarball : build->source;
	wanted->kind = wanted->url	? SOURCE_GIT
		       : build->version ? SOURCE_VERSION
		       : build->tarball ? SOURCE_TARBALL
					: SOURCE_DIRECTORY;
	return build->version ? parse_version(build->version, &wanted->version)
			      : NULL;
}

struct error *selection_make(const struct command_context *context,
			     const struct selection_options *wanted,
			     struct selection *ret)
{
	struct error *err;
	const struct string_list *flavors = &context->common->flavors;

	if (flavors->count > 1)
		return error_create(ERROR_USAGE,
				    "one kernel has one flavor; name only one");
	_cleanup_selection_ struct selection selection = { 0 };
	err = command_arch(context, &selection.arch);
	if (err)
		return err;
	err = catalog_find_flavor(context->catalog,
				  flavors->count ? flavors->items[0] : "default",
				  &selection.flavor);
	if (err)
		return err;
	err = config_additions_read(&wanted->fragments, &wanted->options,
				    &selection.additions);
	if (err)
		return err;
	*ret = take(selection);
	return NULL;
}

struct error *selection_release(const struct command_context *context,
				const struct selection *selection,
				const struct kernel_version *version,
				unsigned int rebuild, struct release *ret)
{
	struct error *err;

	err = catalog_flavor_check(selection->flavor, selection->arch, version);
	if (err)
		return err;
	catalog_release(context->catalog, version, selection->flavor, rebuild,
			ret);
	return config_additions_name(&selection->additions, ret);
}

struct error *parse_version(const char *text, struct kernel_version *ret)
{
	if (!kernel_version_parse(text, ret))
		return error_create(ERROR_USAGE, "'%s' is no kernel version",
				    text);
	return NULL;
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	struct kbuild_build_options *build = context->options;
	struct source_request *wanted = &build->wanted;
	struct kbuild_request *request = &build->request;

	if (!request->output_directory)
		return error_create(ERROR_USAGE,
				    "name the output directory with --output");
	err = find_source(build);
	if (err)
		return err;
	_cleanup_selection_ struct selection selection = { 0 };
	err = selection_make(context, &build->selection, &selection);
	if (err)
		return err;
	_cleanup_source_ struct source source = { 0 };
	_cleanup_compiler_ struct compiler compiler = { 0 };
	// Of other sources it is known once they are there.
	if (wanted->kind == SOURCE_VERSION) {
		err = catalog_flavor_check(selection.flavor, selection.arch,
					   &wanted->version);
		if (err)
			return err;
	}
	wanted->catalog = context->catalog;
	wanted->arch = selection.arch;
	wanted->http = context->http;
	wanted->cache_directory = context->directory;
	err = source_prepare(wanted, &source);
	if (err)
		return err;
	err = selection_release(context, &selection, &source.version,
				build->rebuild, &request->release);
	if (err)
		return err;
	err = compiler_open(context->catalog, selection.arch, &source.version,
			    context->directory, context->http, &compiler);
	if (err)
		return err;
	request->catalog = context->catalog;
	request->arch = selection.arch;
	request->compiler = &compiler;
	request->source = &source;
	request->additions = selection.additions;
	_cleanup_free_ char *path = NULL;
	err = kbuild_build(request, &path);
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
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY,
	.run = run,
};
