// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/toolchain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/kernel/kernel_make.h"
#include "common/kernel/tarball.h"

enum {
	/** Of names such as gcc-9. */
	NEWEST_MAJOR = 40,
	OLDEST_MAJOR = 5,
	/** These, the one without a number, and kernel.org's. */
	CANDIDATE_LIMIT = NEWEST_MAJOR - OLDEST_MAJOR + 3,
	/** `gcc-13.2.0-nolibc/aarch64-linux/`, in kernel.org's tarballs. */
	CROSSTOOL_STRIP_COMPONENTS = 2,
};

void toolchain_deinit(struct toolchain *toolchain)
{
	for (size_t i = 0; i < toolchain->count; i++)
		compiler_deinit(&toolchain->candidates[i].compiler);
	free(toolchain->candidates);
	cache_release(toolchain->entry);
	*toolchain = (struct toolchain){ 0 };
}

static enum toolchain_verdict judge(const struct toolchain *toolchain,
				    const char *version)
{
	const struct version_range *gcc = &toolchain->rule->gcc;
	struct kernel_version parsed;

	if (!version || !kernel_version_parse(version, &parsed))
		return TOOLCHAIN_MISSING;
	if (gcc->has_min && kernel_version_compare(&parsed, &gcc->min) < 0)
		return TOOLCHAIN_TOO_OLD;
	if (!version_range_contains(gcc, &parsed))
		return TOOLCHAIN_TOO_NEW;
	return toolchain->chosen ? TOOLCHAIN_UNNEEDED : TOOLCHAIN_CHOSEN;
}

/** Take note of a compiler, which the toolchain then owns. */
static void add_candidate(struct toolchain *toolchain, struct compiler *compiler)
{
	struct toolchain_candidate *candidate =
		&toolchain->candidates[toolchain->count++];

	candidate->compiler = *compiler;
	*compiler = (struct compiler){ 0 };
	candidate->verdict = judge(toolchain, candidate->compiler.version);
	if (candidate->verdict == TOOLCHAIN_CHOSEN)
		toolchain->chosen = &candidate->compiler;
}

/** @param[in] major 0 for the one whose name has no number. */
static struct error *add_installed(struct toolchain *toolchain,
				   const char *prefix, unsigned int major)
{
	struct error *err;
	_cleanup_compiler_ struct compiler compiler = { 0 };
	char number[16] = "";

	if (major)
		snprintf(number, sizeof(number), "-%u", major);
	compiler.prefix = strdup(prefix);
	if (asprintf(&compiler.program, "%sgcc%s", prefix, number) < 0)
		compiler.program = NULL;
	if (!compiler.prefix || !compiler.program)
		memory_exhausted();
	err = compiler_probe(&compiler);
	if (err)
		return err;
	if (!major || compiler.version)
		add_candidate(toolchain, &compiler);
	return NULL;
}

/** kernel.org's compiler, which has the version that the catalog says. */
static void add_crosstool(const struct toolchain_request *request,
			  const struct catalog_arch *host,
			  struct toolchain *toolchain)
{
	_cleanup_compiler_ struct compiler compiler = { 0 };
	const char *version = request->rule->crosstool;
	const char *target = request->arch->crosstool_target;
	_cleanup_free_ char *name = NULL;

	if (!host || !host->crosstool_host)
		return;
	name = string_format("%s-gcc-%s-nolibc-%s", host->crosstool_host,
			     version, target);
	compiler.url = string_format("%s/%s/%s/%s.tar.xz",
				     request->catalog->kernel_org.crosstool_url,
				     host->crosstool_host, version, name);
	compiler.directory =
		path_joinf(request->cache_directory, "toolchains/%s", name);
	compiler.prefix = path_joinf(compiler.directory, "bin/%s-", target);
	compiler.program = path_joinf(compiler.directory, "bin/%s-gcc", target);
	compiler.version = string_copy(version);
	add_candidate(toolchain, &compiler);
}

struct error *toolchain_find(const struct toolchain_request *request,
			     struct toolchain *ret)
{
	struct error *err;
	const struct catalog_arch *host = NULL;
	_cleanup_toolchain_ struct toolchain toolchain = {
		.arch = request->arch,
		.rule = request->rule,
	};
	const char *prefix;

	// A machine that the catalog does not know has cross compilers only.
	error_destroy(catalog_host_arch(request->catalog, &host));
	prefix = host == request->arch ? "" : request->arch->cross_prefix;
	toolchain.candidates =
		memory_allocate(CANDIDATE_LIMIT, sizeof(*toolchain.candidates));
	err = add_installed(&toolchain, prefix, 0);
	for (unsigned int major = NEWEST_MAJOR;
	     !err && !toolchain.chosen && major >= OLDEST_MAJOR; major--)
		err = add_installed(&toolchain, prefix, major);
	if (!err)
		add_crosstool(request, host, &toolchain);
	if (err)
		return err;
	*ret = toolchain;
	toolchain = (struct toolchain){ 0 };
	return NULL;
}

struct error *toolchain_format_package(const struct toolchain *toolchain,
				       char **ret)
{
	const char *prefix = toolchain->candidates[0].compiler.prefix;
	size_t length = strlen(prefix);
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	string_builder_append(&sb, length ? "gcc-" : "gcc");
	// Without the dash that ends it; a package's name has no underscore.
	for (size_t i = 0; i + 1 < length; i++)
		string_builder_append_char(&sb,
					   prefix[i] == '_' ? '-' : prefix[i]);
	*ret = string_builder_take(&sb);
	return NULL;
}

/** No compiler will do: say what is wrong with the one there may be. */
static struct error *none_error(const struct toolchain *toolchain)
{
	struct error *err;
	const struct compiler *first = &toolchain->candidates[0].compiler;
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *wanted = NULL;
	_cleanup_free_ char *package = NULL;

	version_range_append(&toolchain->rule->gcc, &sb);
	wanted = string_builder_take(&sb);
	err = toolchain_format_package(toolchain, &package);
	if (err)
		return err;
	if (!first->version)
		return error_create(ERROR_NOT_FOUND,
				    "%s is not installed; install the package %s",
				    first->program, package);
	return error_create(ERROR_NOT_FOUND,
			    "%s is version %s, and this kernel wants GCC%s (%s); install another, such as the package %s-N",
			    first->program, first->version, wanted,
			    toolchain->rule->reason, package);
}

/** Compile with what lies in another folder for now. */
static struct error *prove_in(const struct compiler *compiler,
			      const char *directory)
{
	struct compiler moved = { 0 };
	_cleanup_free_ char *program = NULL;

	program = path_join(directory,
			    compiler->program + strlen(compiler->directory) + 1);
	moved.program = program;
	return compiler_prove(&moved);
}

/** What a compiler that is to be unpacked comes from. */
struct crosstool {
	const struct compiler *compiler;
	struct http *http;
};

static struct error *crosstool_make(void *arg, const char *directory)
{
	struct error *err;
	const struct crosstool *crosstool = arg;
	const struct tarball_request request = {
		.http = crosstool->http,
		.url = crosstool->compiler->url,
		.directory = directory,
		.strip_components = CROSSTOOL_STRIP_COMPONENTS,
	};
	char digest[DIGEST_TEXT_SIZE];

	err = tarball_fetch(&request, digest);
	return err ? err : prove_in(crosstool->compiler, directory);
}

static struct error *download(const struct compiler *compiler,
			      struct http *http, struct cache_entry **ret)
{
	struct error *err;
	struct crosstool crosstool = { compiler, http };
	const struct cache_recipe recipe = { .make = crosstool_make,
					     .arg = &crosstool };

	err = kernel_make_check_path(compiler->directory);
	return err ? err : cache_get(compiler->directory, &recipe, ret);
}

/** Have what was chosen. */
static struct error *prepare(struct toolchain *toolchain, struct http *http)
{
	struct error *err, *failure;
	const struct compiler *compiler = toolchain->chosen;
	const struct toolchain_candidate *first = &toolchain->candidates[0];
	_cleanup_free_ char *package = NULL;

	if (!compiler)
		return none_error(toolchain);
	if (!compiler->directory)
		return NULL;
	log_debug("%s %s: %s", compiler->program, compiler->version,
		  toolchain->rule->reason);
	failure = download(compiler, http, &toolchain->entry);
	if (!failure)
		return NULL;
	err = toolchain_format_package(toolchain, &package);
	if (err) {
		error_destroy(failure);
		return err;
	}
	if (first->verdict == TOOLCHAIN_MISSING)
		return error_wrap(failure,
				  "%s is not installed (its package is %s), and kernel.org's cannot be had",
				  first->compiler.program, package);
	return error_wrap(failure,
			  "%s is version %s, which does not build this kernel, and kernel.org's cannot be had",
			  first->compiler.program, first->compiler.version);
}

struct error *toolchain_choose(const struct catalog *catalog,
			       const struct catalog_arch *arch,
			       const struct kernel_version *version,
			       const char *cache_directory, struct toolchain *ret)
{
	struct error *err;
	struct toolchain_request request = {
		.catalog = catalog,
		.arch = arch,
		.cache_directory = cache_directory,
	};

	err = catalog_find_compiler(catalog, version, &request.rule);
	return err ? err : toolchain_find(&request, ret);
}

struct error *toolchain_open(const struct catalog *catalog,
			     const struct catalog_arch *arch,
			     const struct kernel_version *version,
			     const char *cache_directory, struct http *http,
			     struct toolchain *ret)
{
	struct error *err;
	_cleanup_toolchain_ struct toolchain toolchain = { 0 };

	err = toolchain_choose(catalog, arch, version, cache_directory,
			       &toolchain);
	if (!err)
		err = prepare(&toolchain, http);
	if (err)
		return error_wrap(err, "compiler for %s", arch->name);
	*ret = toolchain;
	toolchain = (struct toolchain){ 0 };
	return NULL;
}
