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
	struct addition_options additions;
	const char *source;
	const char *tarball;
	const char *version;
	/** As far as options say them. */
	struct source_request wanted;
	struct kbuild_request request;
	unsigned int rebuild;
};

#define INTO(type, field) OPTION_INTO(type, struct kbuild_build_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 's', "source", "DIR", "build this kernel tree as it is, without patches", INTO(OPTION_STRING, source) },
	{ 0, "tarball", "FILE", "build a tarball of a kernel tree", INTO(OPTION_STRING, tarball) },
	{ 0, "version", "VERSION", "download and build this version of kernel.org, such as 6.12.117", INTO(OPTION_STRING, version) },
	{ 0, "git", "URL", "build from this repository what --ref names", INTO(OPTION_STRING, wanted.url) },
	{ 0, "ref", "REF", "a tag or branch of the repository of --git", INTO(OPTION_STRING, wanted.ref) },
	{ 'o', "output", "DIR", "where the package goes; made if it is not there", INTO(OPTION_STRING, request.output_directory) },
	{ 0, "build-dir", "DIR", "where make works; is kept (default: in the output directory, deleted after a success)", INTO(OPTION_STRING, request.build_directory) },
	{ 0, "package-format", "tar.zst|directory", "how it is packed (default: tar.zst)", INTO(OPTION_CHOICE, request.format) },
	{ 'j', "jobs", "N", "how many compilers at once (default: one a processor)", INTO(OPTION_NUMBER, request.jobs), .min = 1 },
	{ 0, "rebuild", "N", "name the package as the N-th rebuild: the PATCH of its release (default: 0)", INTO(OPTION_NUMBER, rebuild) },
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
	_cleanup_config_request_ struct config_request config = { 0 };
	err = config_request_parse(context, &build->additions, &config);
	if (err)
		return err;
	// Before it is downloaded; of other sources it is known afterwards.
	if (wanted->kind == SOURCE_VERSION) {
		err = catalog_flavor_check(config.flavor, config.arch,
					   &wanted->version);
		if (err)
			return err;
	}
	wanted->catalog = config.catalog;
	wanted->arch = config.arch;
	wanted->http = context->http;
	wanted->cache_directory = context->directory;
	_cleanup_source_ struct source source = { 0 };
	err = source_prepare(wanted, &source);
	if (err)
		return err;
	err = config_request_release(&config, &source.version, build->rebuild);
	if (err)
		return err;
	_cleanup_compiler_ struct compiler compiler = { 0 };
	err = compiler_open(config.catalog, config.arch, &source.version,
			    context->directory, context->http, &compiler);
	if (err)
		return err;
	request->config = &config;
	request->compiler = &compiler;
	request->source = &source;
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
	.details =
		"The source is one of four. A directory is built as it is, and not written to. A\n"
		"tarball, a version of kernel.org and a REF of a git repository are unpacked below\n"
		"--directory, get the catalog's patches, and are kept for the next build.\n"
		"\n"
		"The kernel has one architecture (default: this machine's) and one flavor (default:\n"
		"the one that is called default), which the catalog must have for its version. Its\n"
		"options are those of the catalog's fragments, then of each --config-fragment, then\n"
		"of each --config-option, later ones win; an option that kconfig drops is an\n"
		"error. Where options are added, the flavor in the kernel's release ends in a digest\n"
		"of them.\n"
		"\n"
		"The path of the package, kernel-RELEASE.ARCH.tar.zst or a directory kernel-RELEASE.ARCH,\n"
		"is printed. A package of the same name is replaced; --rebuild=N gives it another.",
	.options = { options, addition_option_table },
	.options_size = sizeof(struct kbuild_build_options),
	.common = COMMON_ARCH | COMMON_FLAVOR | COMMON_DIRECTORY |
		  COMMON_ALLOW_UNVERIFIED,
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY,
	.run = run,
};
