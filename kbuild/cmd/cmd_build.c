// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/cmd.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/kernel/toolchain.h"
#include "common/kernel/version.h"
#include "kbuild/cmd/selection.h"
#include "kbuild/kbuild.h"
#include "kbuild/source/source.h"

#define ARGUMENT(field) offsetof(struct cmd_build_arguments, field)

// clang-format off
const struct command_option cmd_build_options[] = {
	{ 's', "source", "DIR", "build this kernel tree, as it is", OPTION_STRING, ARGUMENT(source) },
	{ 0, "tarball", "FILE", "build what this tarball holds", OPTION_STRING, ARGUMENT(tarball) },
	{ 0, "version", "VERSION", "build this version of kernel.org", OPTION_STRING, ARGUMENT(version) },
	{ 0, "git", "URL", "build a tag or branch of this repository", OPTION_STRING, ARGUMENT(git) },
	{ 0, "ref", "REF", "which tag or branch", OPTION_STRING, ARGUMENT(ref) },
	{ 'o', "output", "DIR", "where the package goes", OPTION_STRING, ARGUMENT(output) },
	{ 0, "build-dir", "DIR", "where make works; is kept (default: in the output folder, deleted after a success)", OPTION_STRING, ARGUMENT(build_directory) },
	{ 0, "package-format", "FORMAT", "tar.zst (default) or directory", OPTION_STRING, ARGUMENT(format) },
	{ 'j', "jobs", "N", "how many compilers at once (default: one a processor)", OPTION_NUMBER, ARGUMENT(jobs) },
	{ 0, "rebuild", "N", "the N-th rebuild of this release", OPTION_NUMBER, ARGUMENT(rebuild) },
	{ 0 },
};
// clang-format on

static const char *const formats[] = {
	[KBUILD_FORMAT_TARBALL] = "tar.zst",
	[KBUILD_FORMAT_DIRECTORY] = "directory",
};

static struct error *find_format(const char *name, enum kbuild_format *ret)
{
	*ret = KBUILD_FORMAT_TARBALL;
	if (!name)
		return NULL;
	for (size_t i = 0; i < array_size(formats); i++) {
		if (strcmp(name, formats[i]) == 0) {
			*ret = (enum kbuild_format)i;
			return NULL;
		}
	}
	return error_create(ERROR_USAGE,
			    "--package-format is tar.zst or directory, not '%s'",
			    name);
}

/** What the arguments say to build: exactly one source. */
static struct error *find_spec(const struct cmd_build_arguments *arguments,
			       struct source_spec *ret)
{
	unsigned int count = !!arguments->source + !!arguments->tarball +
			     !!arguments->version + !!arguments->git;

	if (count != 1)
		return error_create(
			ERROR_USAGE,
			"name one source with --source, --tarball, --version or --git");
	if (!arguments->git != !arguments->ref)
		return error_create(ERROR_USAGE,
				    "--git and --ref need each other");
	struct source_spec spec = { .url = arguments->git, .ref = arguments->ref };
	if (arguments->git) {
		spec.kind = SOURCE_GIT;
	} else if (arguments->version) {
		spec.kind = SOURCE_VERSION;
		if (!kernel_version_parse(arguments->version, &spec.version))
			return error_create(ERROR_USAGE,
					    "'%s' is no kernel version",
					    arguments->version);
	} else if (arguments->tarball) {
		spec.kind = SOURCE_TARBALL;
		spec.path = arguments->tarball;
	} else {
		spec.kind = SOURCE_DIRECTORY;
		spec.path = arguments->source;
	}
	*ret = spec;
	return NULL;
}

/** Have source and compiler ready, with what that needs of network and disk. */
static struct error *prepare(const struct command_context *context,
			     const struct catalog *catalog,
			     const struct catalog_arch *arch,
			     const struct source_spec *spec, struct source *ret,
			     struct toolchain *toolchain_ret)
{
	struct error *err;

	_cleanup_http_ struct http *http = NULL;
	err = command_http(&http);
	if (err)
		return err;
	_cleanup_free_ char *directory = NULL;
	err = command_directory(context, &directory);
	if (err)
		return err;
	struct source_request request = {
		.spec = spec,
		.catalog = catalog,
		.arch = arch,
		.http = http,
		.cache_directory = directory,
	};
	err = source_prepare(&request, ret);
	if (err)
		return err;
	return toolchain_open(catalog, arch, &ret->version, directory, http,
			      toolchain_ret);
}

struct error *cmd_build(const struct command_context *context, int *status_ret)
{
	struct error *err;
	const struct cmd_build_arguments *arguments = context->options;

	(void)status_ret;
	if (!arguments->output)
		return error_create(ERROR_USAGE,
				    "name the output folder with --output");
	struct source_spec spec;
	err = find_spec(arguments, &spec);
	if (err)
		return err;
	enum kbuild_format format;
	err = find_format(arguments->format, &format);
	if (err)
		return err;
	_cleanup_catalog_ struct catalog *catalog = NULL;
	err = command_load_catalog(context, &catalog);
	if (err)
		return err;
	struct selection selection;
	err = selection_make(catalog, context->common, &selection);
	if (err)
		return err;
	_cleanup_source_ struct source source = { 0 };
	_cleanup_toolchain_ struct toolchain toolchain = { 0 };
	err = prepare(context, catalog, selection.arch, &spec, &source,
		      &toolchain);
	if (err)
		return err;

	struct kbuild_request request = {
		.catalog = catalog,
		.arch = selection.arch,
		.compiler = toolchain.chosen,
		.source = &source,
		.output_directory = arguments->output,
		.build_directory = arguments->build_directory,
		.format = format,
		.jobs = arguments->jobs,
	};
	catalog_release(catalog, &source.version, selection.flavor,
			arguments->rebuild, &request.release);
	_cleanup_free_ char *path = NULL;
	err = kbuild_build(&request, &path);
	if (err)
		return err;
	puts(path);
	return NULL;
}
