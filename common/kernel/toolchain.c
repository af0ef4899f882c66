// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/compiler.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/kernel/remote.h"
#include "common/process/process.h"

enum {
	/** Of names such as gcc-9. */
	NEWEST_MAJOR = 40,
	OLDEST_MAJOR = 5,
	/** These, the one without a number, and kernel.org's. */
	CANDIDATE_LIMIT = NEWEST_MAJOR - OLDEST_MAJOR + 3,
	/** `gcc-13.2.0-nolibc/aarch64-linux/`, in kernel.org's tarballs. */
	CROSSTOOL_STRIP_COMPONENTS = 2,
	VERSION_LIMIT_BYTES = 64,
	/** For a program that answers at once, if it can. */
	PROBE_LIMIT_MS = 30000,
};

static void compiler_deinit(struct compiler *compiler)
{
	free(compiler->prefix);
	free(compiler->program);
	free(compiler->version);
	free(compiler->directory);
	free(compiler->url);
	*compiler = (struct compiler){ 0 };
}

#define _cleanup_compiler_ _cleanup_(compiler_deinit)

/** Ask the program for its version, if there is such a program. */
static struct error *compiler_probe(struct compiler *compiler)
{
	struct error *err;

	// -dumpversion alone is the major version only, where Debian built it.
	const char *const arguments[] = {
		compiler->program,
		"-dumpfullversion",
		"-dumpversion",
		NULL,
	};
	const struct process_options options = {
		.arguments = arguments,
		.timeout_ms = PROBE_LIMIT_MS,
	};
	if (!process_program_exists(compiler->program))
		return NULL;
	_cleanup_free_ char *version = NULL;
	err = process_capture(&options, VERSION_LIMIT_BYTES, &version);
	if (err)
		return err;
	struct kernel_version parsed;
	if (!kernel_version_parse(version, &parsed))
		return error_create(ERROR_OTHER,
				    "%s says that its version is '%s'",
				    compiler->program, version);
	compiler->version = take_ptr(version);
	return NULL;
}

/** Compile nothing: all that a compiler consists of must be there and run. */
static struct error *prove(const char *program)
{
	const char *const arguments[] = { program,     "-x", "c",	  "-c",
					  "/dev/null", "-o", "/dev/null", NULL };
	const struct process_options options = {
		.arguments = arguments,
		.timeout_ms = PROBE_LIMIT_MS,
	};

	return process_run(&options);
}

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
	if (kernel_version_compare(&parsed, &gcc->min) < 0)
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

	candidate->compiler = take(*compiler);
	candidate->verdict = judge(toolchain, candidate->compiler.version);
	if (candidate->verdict == TOOLCHAIN_CHOSEN)
		toolchain->chosen = &candidate->compiler;
}

/** @param[in] major 0 for the one whose name has no number. */
static struct error *add_installed(struct toolchain *toolchain,
				   const char *prefix, unsigned int major)
{
	struct error *err;

	_cleanup_compiler_ struct compiler compiler = {
		.prefix = string_copy(prefix),
		.program = major ? string_format("%sgcc-%u", prefix, major)
				 : string_format("%sgcc", prefix),
	};
	err = compiler_probe(&compiler);
	if (err)
		return err;
	if (!major || compiler.version)
		add_candidate(toolchain, &compiler);
	return NULL;
}

/** kernel.org's compiler, which has the version that the catalog says. */
static void add_crosstool(const struct catalog *catalog,
			  const struct catalog_arch *host,
			  const char *cache_directory,
			  struct toolchain *toolchain)
{
	const char *version = toolchain->rule->crosstool;
	const char *target = toolchain->arch->crosstool_target;

	if (!host || !host->crosstool_host)
		return;
	_cleanup_free_ char *name = string_format("%s-gcc-%s-nolibc-%s",
						  host->crosstool_host, version,
						  target);
	_cleanup_compiler_ struct compiler compiler = { 0 };
	compiler.url = string_format("%s/%s/%s/%s.tar.xz",
				     catalog->kernel_org.crosstool_url,
				     host->crosstool_host, version, name);
	compiler.directory = path_joinf(cache_directory, "toolchains/%s", name);
	compiler.prefix = path_joinf(compiler.directory, "bin/%s-", target);
	compiler.program = path_joinf(compiler.directory, "bin/%s-gcc", target);
	compiler.version = string_copy(version);
	add_candidate(toolchain, &compiler);
}

struct error *toolchain_find(const struct catalog *catalog,
			     const struct catalog_arch *arch,
			     const struct catalog_compiler *rule,
			     const char *cache_directory, struct toolchain *ret)
{
	struct error *err;

	// A machine that the catalog does not know has cross compilers only.
	const struct catalog_arch *host = NULL;
	error_destroy(catalog_host_arch(catalog, &host));
	const char *prefix = host == arch ? "" : arch->cross_prefix;
	_cleanup_toolchain_ struct toolchain toolchain = {
		.arch = arch,
		.rule = rule,
		.candidates = memory_allocate(CANDIDATE_LIMIT,
					      sizeof(*toolchain.candidates)),
	};
	err = add_installed(&toolchain, prefix, 0);
	for (unsigned int major = NEWEST_MAJOR;
	     !err && !toolchain.chosen && major >= OLDEST_MAJOR; major--)
		err = add_installed(&toolchain, prefix, major);
	if (err)
		return err;
	add_crosstool(catalog, host, cache_directory, &toolchain);
	*ret = take(toolchain);
	return NULL;
}

char *toolchain_package(const struct toolchain *toolchain)
{
	const char *prefix = toolchain->candidates[0].compiler.prefix;
	if (!*prefix)
		return string_copy("gcc");

	char *package = string_format("gcc-%s", prefix);
	// Without the dash that ends it; a package's name has no underscore.
	package[strlen(package) - 1] = '\0';
	for (char *c = package; *c; c++) {
		if (*c == '_')
			*c = '-';
	}
	return package;
}

/** No installed one will do: say what is wrong with the one there may be. */
static struct error *none_error(const struct toolchain *toolchain)
{
	const struct compiler *first = &toolchain->candidates[0].compiler;
	_cleanup_free_ char *package = toolchain_package(toolchain);
	if (!first->version)
		return error_create(ERROR_NOT_FOUND,
				    "%s is not installed; install the package %s",
				    first->program, package);

	_cleanup_string_builder_ struct string_builder sb = { 0 };
	version_range_append(&toolchain->rule->gcc, &sb);
	return error_create(
		ERROR_NOT_FOUND,
		"%s is version %s, and this kernel wants GCC%s (%s); install another, such as the package %s-N",
		first->program, first->version, sb.text ? sb.text : "",
		toolchain->rule->reason, package);
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
	const struct compiler *compiler = crosstool->compiler;
	char digest[DIGEST_TEXT_SIZE];
	err = tarball_digest(crosstool->http, compiler->url, digest);
	if (err)
		return err;
	err = tarball_unpack(crosstool->http, compiler->url, directory,
			     CROSSTOOL_STRIP_COMPONENTS, digest);
	if (err)
		return err;
	// It is in another directory for now.
	_cleanup_free_ char *program =
		path_join(directory,
			  compiler->program + strlen(compiler->directory) + 1);
	return prove(program);
}

/** Have what was chosen. */
static struct error *prepare(struct toolchain *toolchain, struct http *http)
{
	struct error *err;

	const struct compiler *compiler = toolchain->chosen;
	if (!compiler)
		return none_error(toolchain);
	if (!compiler->directory)
		return NULL;
	log_debug("%s %s: %s", compiler->program, compiler->version,
		  toolchain->rule->reason);
	err = kernel_make_check_path(compiler->directory);
	if (err)
		return err;
	struct crosstool crosstool = { compiler, http };
	const struct cache_recipe recipe = { .make = crosstool_make,
					     .arg = &crosstool };
	err = cache_get(compiler->directory, &recipe, &toolchain->entry);
	if (!err)
		return NULL;
	_cleanup_error_ struct error *none = none_error(toolchain);
	return error_wrap(err, "%s; kernel.org's cannot be had",
			  error_message(none));
}

struct error *toolchain_choose(const struct catalog *catalog,
			       const struct catalog_arch *arch,
			       const struct kernel_version *version,
			       const char *cache_directory, struct toolchain *ret)
{
	struct error *err;
	const struct catalog_compiler *rule;

	err = catalog_find_compiler(catalog, version, &rule);
	if (err)
		return err;
	return toolchain_find(catalog, arch, rule, cache_directory, ret);
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
	*ret = take(toolchain);
	return NULL;
}
