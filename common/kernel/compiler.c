// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/compiler.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/kernel/remote.h"
#include "common/process/process.h"

enum {
	/** `gcc-12.5.0-nolibc/aarch64-linux/`, in kernel.org's tarballs. */
	CROSSTOOL_STRIP_COMPONENTS = 2,
	VERSION_LIMIT_BYTES = 64,
	/** For a program that answers at once, if it can. */
	PROBE_LIMIT_MS = 30000,
};

void compiler_deinit(struct compiler *compiler)
{
	free(compiler->prefix);
	free(compiler->program);
	free(compiler->version);
	free(compiler->directory);
	free(compiler->url);
	free(compiler->lacking);
	cache_release(compiler->entry);
	*compiler = (struct compiler){ 0 };
}

/**
 * Ask the program for its version, if there is such a program.
 *
 * @param[out] major_ret Its major version; 0 if it is not there.
 */
static struct error *compiler_probe(struct compiler *compiler,
				    unsigned int *major_ret)
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
		.inherited = kernel_make_inherited,
		.timeout_ms = PROBE_LIMIT_MS,
	};
	*major_ret = 0;
	err = process_capture(&options, VERSION_LIMIT_BYTES, &compiler->version);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;
	struct kernel_version parsed;
	if (!kernel_version_parse(compiler->version, &parsed))
		return error_create(ERROR_OTHER,
				    "%s says that its version is '%s'",
				    compiler->program, compiler->version);
	*major_ret = parsed.major;
	return NULL;
}

/** Debian's package with a compiler: `gcc-12-aarch64-linux-gnu`; free(). */
static char *package_name(const struct compiler *compiler)
{
	const char *number = strrchr(compiler->program, '-');
	char *package = string_format("gcc%s-%s", number, compiler->prefix);

	// Without the dash that ends it; a package's name has no underscore.
	package[strlen(package) - 1] = '\0';
	for (char *c = package; *c; c++) {
		if (*c == '_')
			*c = '-';
	}
	return package;
}

/** kernel.org's compiler, of the version that the catalog says. */
static void crosstool_init(struct compiler *compiler,
			   const struct catalog *catalog, const char *host,
			   const char *target, const char *cache_directory)
{
	char version[KERNEL_VERSION_TEXT_SIZE];
	kernel_version_format_full(&catalog->gcc.crosstool, version);
	_cleanup_free_ char *name =
		string_format("%s-gcc-%s-nolibc-%s", host, version, target);

	compiler->url = string_format("%s/%s/%s/%s.tar.xz",
				      catalog->kernel_org.crosstool_url, host,
				      version, name);
	compiler->directory = path_joinf(cache_directory, "toolchains/%s", name);
	compiler->prefix = path_joinf(compiler->directory, "bin/%s-", target);
	compiler->program = string_format("%sgcc", compiler->prefix);
	compiler->version = string_copy(version);
}

struct error *compiler_find(const struct catalog *catalog,
			    const struct catalog_arch *arch,
			    const struct kernel_version *version,
			    const char *cache_directory, struct compiler *ret)
{
	struct error *err;

	const struct catalog_gcc *gcc;
	err = catalog_find_gcc(catalog, version, &gcc);
	if (err)
		return err;
	// A machine that the catalog does not know has cross compilers only.
	const struct catalog_arch *host = NULL;
	error_destroy(catalog_host_arch(catalog, &host));
	const char *prefix = host == arch ? "" : arch->cross_prefix;
	unsigned int reference = catalog->gcc.reference, major;
	_cleanup_compiler_ struct compiler first = {
		.prefix = string_copy(prefix),
		.program = string_format("%sgcc-%u", prefix, reference),
	};
	err = compiler_probe(&first, &major);
	if (err)
		return err;
	if (major == reference) {
		*ret = take(first);
		return NULL;
	}
	_cleanup_compiler_ struct compiler other = {
		.prefix = string_copy(prefix),
		.program = string_format("%sgcc", prefix),
	};
	err = compiler_probe(&other, &major);
	if (err)
		return err;
	if (major >= reference && major <= gcc->newest) {
		*ret = take(other);
		return NULL;
	}
	_cleanup_free_ char *package = package_name(&first);
	_cleanup_free_ char *lacking =
		major ? string_format("%s is version %s, and this kernel wants GCC %u to %u (%s); install the package %s",
				      other.program, other.version, reference,
				      gcc->newest, gcc->reason, package)
		      : string_format("%s is not installed; install the package %s",
				      first.program, package);
	if (!host || !host->crosstool_host)
		return error_create(ERROR_NOT_FOUND, "%s", lacking);
	*ret = (struct compiler){ .lacking = take_ptr(lacking) };
	crosstool_init(ret, catalog, host->crosstool_host,
		       arch->crosstool_target, cache_directory);
	return NULL;
}

struct error *compiler_open_llvm(struct compiler *ret)
{
	struct error *err;

	unsigned int major;
	_cleanup_compiler_ struct compiler compiler = {
		.prefix = string_copy(""),
		.program = string_copy("clang"),
		.is_llvm = true,
	};
	err = compiler_probe(&compiler, &major);
	if (err)
		return err;
	if (!major || !process_program_exists("ld.lld") ||
	    !process_program_exists("llvm-ar"))
		return error_create(
			ERROR_NOT_FOUND,
			"clang, ld.lld or llvm-ar is not in the PATH; install clang, lld and llvm");
	*ret = take(compiler);
	return NULL;
}

/** @param[in] program Its path. */
static void add_directories(const char *program, const char *prefix,
			    struct string_list *ret)
{
	static const char *const names[] = { "bin",   "include", "lib",
					     "lib64", "libexec", "share" };
	_cleanup_free_ char *copy = string_copy(program);
	char *directory = dirname(copy);

	string_list_add(ret, directory);
	if (strcmp(path_name(directory), "bin") != 0)
		return;
	const char *top = dirname(directory);
	// Not all that is there: it may be somebody's home directory.
	for (size_t i = 0; i < array_size(names); i++)
		string_list_addf(ret, "%s/%s", top, names[i]);
	if (*prefix)
		string_list_addf(ret, "%s/%.*s", top, (int)strlen(prefix) - 1,
				 prefix);
}

void compiler_add_directories(const struct compiler *compiler,
			      struct string_list *ret)
{
	const char *prefix = path_name(compiler->prefix);
	_cleanup_free_ char *path = process_program_path(compiler->program);
	_cleanup_free_ char *real = path ? realpath(path, NULL) : NULL;

	if (compiler->directory)
		string_list_add(ret, compiler->directory);
	else if (real) {
		add_directories(path, prefix, ret);
		add_directories(real, prefix, ret);
	}
}

/** What a compiler that is to be unpacked comes from. */
struct crosstool {
	const struct catalog *catalog;
	const struct compiler *compiler;
	struct http *http;
};

/** A server's list is signed, but by nobody whose key we have. */
static struct error *crosstool_digest(const struct crosstool *crosstool,
				      char digest_ret[static DIGEST_TEXT_SIZE])
{
	const struct catalog *catalog = crosstool->catalog;
	const char *name = path_name(crosstool->compiler->directory);

	for (size_t i = 0; i < catalog->gcc.digest_count; i++) {
		const struct catalog_crosstool *row = &catalog->gcc.digests[i];

		if (strcmp(row->name, name) == 0) {
			memcpy(digest_ret, row->digest, DIGEST_TEXT_SIZE);
			return NULL;
		}
	}
	if (catalog->gcc.trusts_list)
		return tarball_digest(crosstool->http, crosstool->compiler->url,
				      digest_ret);
	return error_create(ERROR_OTHER,
			    "the catalog has no digest of %s (\"crosstool_sha256\"); --allow-unverified takes what the server's own list says",
			    name);
}

static struct error *crosstool_make(void *arg, const char *directory)
{
	struct error *err;

	const struct crosstool *crosstool = arg;
	const struct compiler *compiler = crosstool->compiler;
	char digest[DIGEST_TEXT_SIZE];
	err = crosstool_digest(crosstool, digest);
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
	// All that a compiler consists of must be there and run.
	const char *const arguments[] = { program,     "-x", "c",	  "-c",
					  "/dev/null", "-o", "/dev/null", NULL };
	const struct process_options options = {
		.arguments = arguments,
		.inherited = kernel_make_inherited,
		.timeout_ms = PROBE_LIMIT_MS,
	};
	return process_run(&options);
}

struct error *compiler_open(const struct catalog *catalog,
			    const struct catalog_arch *arch,
			    const struct kernel_version *version,
			    const char *cache_directory, struct http *http,
			    struct compiler *ret)
{
	struct error *err;

	_cleanup_compiler_ struct compiler compiler = { 0 };
	err = compiler_find(catalog, arch, version, cache_directory, &compiler);
	if (err)
		return err;
	if (compiler.directory) {
		log_debug("%s: %s", compiler.program, compiler.lacking);
		err = kernel_make_check_path(compiler.directory);
		if (err)
			return err;
		struct crosstool crosstool = { catalog, &compiler, http };
		const struct cache_recipe recipe = { .make = crosstool_make,
						     .arg = &crosstool };
		err = cache_get(compiler.directory, &recipe, &compiler.entry);
		if (err)
			return error_wrap(err, "%s; kernel.org's cannot be had",
					  compiler.lacking);
	}
	*ret = take(compiler);
	return NULL;
}
