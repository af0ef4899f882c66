// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/kbuild_commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
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
	bool llvm;
};

#define INTO(type, field) OPTION_INTO(type, struct kbuild_build_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 's', "source", "DIR", "build this kernel tree as it is, without patches", INTO(OPTION_STRING, source) },
	{ 0, "tarball", "FILE", "build a tarball of a kernel tree", INTO(OPTION_STRING, tarball) },
	{ 0, "version", "VERSION", "download and build this version of kernel.org, such as 6.12.117", INTO(OPTION_STRING, version) },
	{ 0, "git", "URL", "build from this repository what --ref names", INTO(OPTION_STRING, wanted.url) },
	{ 0, "ref", "REF", "a tag or branch of the repository of --git; with --source, any commit of the tree's repository, checked out beside it, which --build-dir keeps", INTO(OPTION_STRING, wanted.ref) },
	{ 'o', "output", "DIR", "where the package goes; made if it is not there", INTO(OPTION_STRING, request.output_directory) },
	{ 0, "build-dir", "DIR", "where make works; is kept (default: in the output directory, deleted after a success)", INTO(OPTION_STRING, request.build_directory) },
	{ 0, "package-format", "tar.zst|directory|tree", "how it is packed (default: tar.zst); tree: not at all, --build-dir holds it", INTO(OPTION_CHOICE, request.format) },
	{ 0, "config", "FILE", "of a tree: use this .config as it is, instead of a flavor's", INTO(OPTION_STRING, request.config_path) },
	{ 0, "llvm", NULL, "of a tree: build with clang and LLVM's tools (make LLVM=1)", INTO(OPTION_FLAG, llvm) },
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
	if (wanted->url ? !wanted->ref : wanted->ref && !build->source)
		return error_create(
			ERROR_USAGE,
			"--git needs --ref, and --ref needs --git or --source");
	wanted->path = build->tarball ? build->tarball : build->source;
	wanted->kind = wanted->url	? SOURCE_GIT
		       : build->version ? SOURCE_VERSION
		       : build->tarball ? SOURCE_TARBALL
					: SOURCE_DIRECTORY;
	return build->version ? parse_version(build->version, &wanted->version)
			      : NULL;
}

static struct error *check_options(const struct kbuild_build_options *build)
{
	const struct kbuild_request *request = &build->request;

	if (request->format == KBUILD_FORMAT_TREE) {
		if (!request->build_directory || request->output_directory)
			return error_create(
				ERROR_USAGE,
				"--package-format=tree is made in --build-dir, without --output");
		return NULL;
	}
	if (request->config_path || build->llvm ||
	    (build->source && build->wanted.ref))
		return error_create(
			ERROR_USAGE,
			"--config, --llvm and a --ref of --source need --package-format=tree: no package is made with them");
	if (!request->output_directory)
		return error_create(ERROR_USAGE,
				    "name the output directory with --output");
	return NULL;
}

/** Where a tree is built, and what keeps it from being built by others. */
struct tree {
	char *source;
	char *build;
	int lock_fd;
};

static void tree_deinit(struct tree *tree)
{
	free(tree->source);
	free(tree->build);
	cleanup_close(&tree->lock_fd);
}

#define _cleanup_tree_ _cleanup_(tree_deinit)

/**
 * make refuses to build elsewhere what was built in the source: of a git
 * repository there is a copy of the source in the build directory then, as of
 * other commits. make works below it, where all paths are relative, so that
 * ccache finds what another copy has compiled.
 */
static struct error *prepare_tree(struct kbuild_build_options *build,
				  const struct catalog_arch *arch,
				  struct tree *ret)
{
	struct error *err;

	struct source_request *wanted = &build->wanted;
	if (wanted->kind != SOURCE_DIRECTORY)
		return NULL;
	_cleanup_free_ char *built = source_find_built(wanted->path, arch);
	if (!built && !wanted->ref)
		return NULL;
	if (build->request.format != KBUILD_FORMAT_TREE ||
	    (!wanted->ref && !checkout_is_possible(wanted->path)))
		return error_create(ERROR_OTHER,
				    "%s: a kernel was configured or built in it (%s), and make builds none elsewhere then: clean it (make mrproper); or build it there, and run it as it is (vmtest-vm run -k %s)",
				    wanted->path, built, wanted->path);
	err = directory_create(build->request.build_directory);
	if (err)
		return err;
	ret->source = realpath(build->request.build_directory, NULL);
	if (!ret->source)
		return error_create_os(errno, "%s",
				       build->request.build_directory);
	err = directory_lock(ret->source, &ret->lock_fd);
	if (!err)
		err = checkout_update(wanted->path, wanted->ref, ret->source);
	if (err)
		return err;
	ret->build = path_join(ret->source, "build");
	wanted->path = ret->source;
	build->request.build_directory = ret->build;
	return NULL;
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	struct kbuild_build_options *build = context->options;
	struct source_request *wanted = &build->wanted;
	struct kbuild_request *request = &build->request;

	err = check_options(build);
	if (!err)
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
	_cleanup_tree_ struct tree tree = { .lock_fd = -1 };
	err = prepare_tree(build, config.arch, &tree);
	if (err)
		return err;
	_cleanup_source_ struct source source = { 0 };
	err = source_prepare(wanted, &source);
	if (err)
		return err;
	err = config_request_release(&config, &source.version, build->rebuild);
	if (err)
		return err;
	_cleanup_compiler_ struct compiler compiler = { 0 };
	if (build->llvm)
		err = compiler_open_llvm(&compiler);
	else
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
		"is printed. A package of the same name is replaced; --rebuild=N gives it another.\n"
		"\n"
		"--package-format=tree is for a kernel that one works on: it is built in --build-dir,\n"
		"again in seconds where little has changed, and not packed; vmtest-vm runs it by that\n"
		"path, which is printed. A source where something was built already, and --ref, are\n"
		"copied there from the source's git repository, which is only read: of the\n"
		"files as they are now, those that .gitignore does not name.",
	.options = { options, addition_option_table },
	.options_size = sizeof(struct kbuild_build_options),
	.common = COMMON_ARCH | COMMON_FLAVOR | COMMON_DIRECTORY |
		  COMMON_ALLOW_UNVERIFIED,
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY,
	.run = run,
};
