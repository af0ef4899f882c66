// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/module.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/kernel/release.h"
#include "common/process/sandbox.h"
#include "vm/kernel/kernel.h"

static const char scratch_usual[] = "/tmp";

enum {
	/** Digits of a digest that are enough for the name of a directory. */
	KEY_DIGITS = 16,
};

/** One source for one kernel. */
struct build {
	const struct module_request *request;
	struct kernel_version version;
	/** The source, without symbolic links. */
	char *source;
	/** A directory of our own, which is locked, and in it the copy. */
	char *scratch;
	int scratch_lock;
	char *copy;
};

static void build_deinit(struct build *build)
{
	cleanup_directory(&build->scratch);
	cleanup_close(&build->scratch_lock);
	free(build->source);
	free(build->copy);
}

#define _cleanup_build_ _cleanup_(build_deinit)

char *module_scratch_parent(const char *temporary)
{
	bool is_given = temporary && *temporary == '/';
	struct error *err = is_given ? kernel_make_check_path(temporary) : NULL;
	char *parent = string_copy(is_given && !err ? temporary : scratch_usual);

	error_destroy(err);
	return parent;
}

void module_deinit(struct module *module)
{
	free(module->path);
	cache_release(module->entry);
	*module = (struct module){ 0 };
}

/**
 * What a module depends on: the source, the kernel, to the byte, the compiler
 * that there is, or that would be downloaded, and what we tell it.
 */
static struct error *compute_key(const struct build *build,
				 const char source[static DIGEST_TEXT_SIZE],
				 char key_ret[static DIGEST_TEXT_SIZE])
{
	static const char *const files[] = { "vmlinuz", "build/.config",
					     "build/Module.symvers" };
	struct error *err;
	const struct module_request *request = build->request;

	_cleanup_digest_ struct digest *digest = digest_create();
	digest_update(digest, source, DIGEST_TEXT_SIZE);
	for (size_t i = 0; i < array_size(files); i++) {
		_cleanup_free_ char *path =
			path_join(request->kernel->path, files[i]);
		char text[DIGEST_TEXT_SIZE];

		err = digest_file(path, text, NULL);
		if (err)
			return err;
		digest_update(digest, text, sizeof(text));
	}
	_cleanup_compiler_ struct compiler compiler = { 0 };
	err = compiler_find(request->catalog, request->arch, &build->version,
			    request->directory, &compiler);
	if (err)
		return err;
	_cleanup_free_ char *text =
		string_format("%s %s", compiler.program, compiler.version);
	digest_update(digest, text, strlen(text));
	_cleanup_free_ char *flags =
		module_flags(request->arch, "", "", "", NULL);
	digest_update(digest, flags, strlen(flags));
	digest_finish(digest, key_ret);
	key_ret[KEY_DIGITS] = '\0';
	return NULL;
}

static void add_target(struct string_list *list, const char *directory,
		       const char *name)
{
	_cleanup_free_ char *path = path_join(directory, name);
	_cleanup_free_ char *real = realpath(path, NULL);

	if (real)
		string_list_add(list, real);
}

/** The programs of a package are whose who can write to the store. */
static struct error *make_sandbox(const struct build *build,
				  const struct compiler *compiler,
				  struct sandbox *ret)
{
	const char *kernel = build->request->kernel->path;
	_cleanup_string_list_ struct string_list readable = { 0 };
	_cleanup_free_ char *mark = path_join(kernel, "build/source/Kbuild");

	string_list_add(&readable, kernel);
	// That of a directory which is no package may be a link.
	add_target(&readable, kernel, "build");
	// Where a kernel is built elsewhere than in its source, this is a link.
	// One that leads to something else is no kernel's.
	if (file_exists(mark))
		add_target(&readable, kernel, "build/source");
	// It may name its own directory.
	string_list_add(&readable, build->source);
	compiler_add_directories(compiler, &readable);
	return sandbox_init(&readable, build->scratch, ret);
}

static struct error *run_make(const struct build *build,
			      const struct compiler *compiler,
			      const struct sandbox *sandbox, const char *log_path)
{
	struct error *err;

	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_COMPILED, "build %s for %s",
				 build->source, build->request->kernel->release);
	_cleanup_free_ char *kernel =
		path_join(build->request->kernel->path, "build");
	err = kernel_make_check_path(kernel);
	if (error_catch(&err, ERROR_USAGE)) {
		// A copy where make can work with it.
		_cleanup_free_ char *original = take_ptr(kernel);

		kernel = path_join(build->scratch, "kernel");
		err = tree_copy(original, NULL, kernel);
	}
	if (err)
		return err;
	// Of a build that failed.
	err = file_delete(log_path);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list arguments = { 0 };
	string_list_addf(&arguments, "-j%u", processors_usable());
	// Debuggers look for the source where it is, if make can be told.
	err = kernel_make_check_path(build->source);
	_cleanup_free_ char *flags =
		module_flags(build->request->arch, kernel, build->copy,
			     err ? "." : build->source, compiler->directory);
	error_destroy(err);
	string_list_addf(&arguments, "KCFLAGS=%s", flags);
	const struct kernel_make_module options = {
		.arch = build->request->arch,
		.compiler = compiler,
		.kernel = kernel,
		.module = build->copy,
		.arguments = (const char *const *)arguments.items,
		.log_path = log_path,
		.progress = progress,
		.sandbox = sandbox,
	};
	err = kernel_make_module(&options);
	if (err)
		return err;
	progress_finish(progress);
	return NULL;
}

static struct error *build_make(void *arg, const char *result)
{
	struct error *err;
	const struct build *build = arg;
	const struct module_request *request = build->request;

	_cleanup_compiler_ struct compiler compiler = { 0 };
	err = compiler_open(request->catalog, request->arch, &build->version,
			    request->directory, request->http, &compiler);
	if (err)
		return err;
	_cleanup_sandbox_ struct sandbox sandbox = { .ruleset_fd = -1 };
	err = make_sandbox(build, &compiler, &sandbox);
	if (err)
		return err;
	err = host_programs_check(request->kernel->path, &sandbox);
	if (err)
		return err;
	_cleanup_free_ char *log_path = path_join(result, "build.log");
	err = run_make(build, &compiler, &sandbox, log_path);
	if (err)
		return err;
	return error_wrap(module_result_collect(build->copy, result), "see %s",
			  log_path);
}

static struct error *build_check(void *arg, const char *result, bool *good_ret)
{
	_cleanup_free_ char *module = module_result_find(result);

	(void)arg;
	*good_ret = module;
	return NULL;
}

/** What is built is a copy, so that the source may change meanwhile. */
static struct error *find_or_build(struct build *build, struct cache_entry **ret)
{
	struct error *err;
	const struct cache_recipe recipe = {
		.check = build_check,
		.make = build_make,
		.arg = build,
		// For make's log.
		.keeps_partial = true,
	};

	_cleanup_free_ char *parent =
		module_scratch_parent(build->request->temporary);
	_cleanup_free_ char *prefix =
		string_format("vmtest-module-%u", geteuid());
	err = directory_remove_stale(parent, prefix);
	if (err)
		return err;
	err = directory_create_temporary(parent, prefix, &build->scratch,
					 &build->scratch_lock);
	if (err)
		return err;
	build->copy = path_join(build->scratch, "source");
	char source[DIGEST_TEXT_SIZE], key[DIGEST_TEXT_SIZE];
	err = module_source_copy(build->source, build->copy, source);
	if (err)
		return err;
	err = compute_key(build, source, key);
	if (err)
		return err;
	digest_buffer(build->source, strlen(build->source), source);
	_cleanup_free_ char *directory =
		path_joinf(build->request->directory, "%s/module/%s/%.*s",
			   build->request->arch->name,
			   build->request->kernel->release, KEY_DIGITS, source);
	_cleanup_free_ char *path = path_join(directory, key);
	err = cache_get(path, &recipe, ret);
	if (err || !(*ret)->made)
		return err;
	return cache_evict_all(directory, key);
}

struct error *module_build(const struct module_request *request,
			   struct module *ret)
{
	struct error *err;
	const char *release = request->kernel->release;

	_cleanup_build_ struct build build = {
		.request = request,
		.source = realpath(request->source, NULL),
		.scratch_lock = -1,
	};
	if (!build.source)
		return error_create(ERROR_USAGE, "module source %s: %s",
				    request->source, strerror(errno));
	const char *end;
	if (!kernel_version_parse_prefix(release, &build.version, &end))
		return error_create(ERROR_OTHER,
				    "the release '%s' does not begin with a version",
				    release);
	_cleanup_module_ struct module module = { 0 };
	err = find_or_build(&build, &module.entry);
	if (err)
		return error_wrap(err, "module %s for %s", request->source,
				  release);
	module.path = module_result_find(module.entry->path);
	*ret = take(module);
	return NULL;
}

struct error *module_remove_all(const char *directory, const char *arch,
				const char *kernel_path)
{
	struct error *err = NULL;

	const char *dash = strchr(path_name(kernel_path), '-');
	if (!dash)
		return NULL;
	_cleanup_free_ char *parent =
		path_joinf(directory, "%s/module/%s", arch, dash + 1);
	_cleanup_closedir_ DIR *dir = opendir(parent);
	if (!dir)
		return errno == ENOENT
			       ? NULL
			       : error_create_os(errno, "read %s", parent);
	for (struct dirent *entry; !err && (entry = readdir(dir));) {
		_cleanup_free_ char *source = path_join(parent, entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		err = cache_evict_all(source, NULL);
		// What is in use stays.
		rmdir(source);
	}
	rmdir(parent);
	return err;
}
