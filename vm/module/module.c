// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/module.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/archive/digest.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/processors.h"
#include "common/base/string_list.h"
#include "common/base/tree.h"
#include "common/cli/progress.h"
#include "common/kernel/catalog.h"
#include "common/kernel/kernel_make.h"
#include "common/kernel/toolchain.h"
#include "common/kernel/version.h"
#include "vm/kernel/kernel.h"
#include "vm/module/host_programs.h"
#include "vm/module/module_result.h"
#include "vm/module/module_source.h"

/** Where make works, if the folder of results has a name that it cannot take. */
static const char other_scratch[] = "/tmp";

static const char scratch_prefix[] = "vmtest-module";

/** One source for one kernel, whatever their contents. */
struct build {
	const struct module_request *request;
	/** The source, without symbolic links. */
	char *source;
	/** Where the results of this source lie, and the last build's log. */
	char *folder;
	char *log_path;
};

static void build_deinit(struct build *build)
{
	free(build->source);
	free(build->folder);
	free(build->log_path);
}

#define _cleanup_build_ _cleanup_(build_deinit)

/** Where the results of all sources for one kernel lie. */
static void kernel_folder(const char *directory, const char *arch,
			  const char *release, char **ret)
{
	*ret = path_joinf(directory, "%s/module/%s", arch, release);
}

static struct error *build_init(struct build *build,
				const struct module_request *request)
{
	struct error *err;

	_cleanup_free_ char *parent = NULL;
	char source[DIGEST_TEXT_SIZE];

	build->request = request;
	build->source = realpath(request->source, NULL);
	if (!build->source)
		return error_create(ERROR_USAGE, "module source %s: %s",
				    request->source, strerror(errno));
	err = digest_buffer(build->source, strlen(build->source), source);
	if (err)
		return err;
	kernel_folder(request->directory, request->arch->name,
		      request->kernel->release, &parent);
	build->folder =
		path_joinf(parent, "%.*s", (int)MODULE_KEY_DIGITS, source);
	build->log_path = path_join(build->folder, "build.log");
	return NULL;
}

/** What a module depends on: the kernel, to the byte, and the source. */
static struct error *compute_key(const struct build *build, const char *source,
				 char key_ret[static DIGEST_TEXT_SIZE])
{
	static const char *const files[] = { "vmlinuz", "build/.config",
					     "build/Module.symvers" };
	struct error *err;

	_cleanup_digest_ struct digest *digest = NULL;
	char text[DIGEST_TEXT_SIZE];

	err = digest_create(&digest);
	if (err)
		return err;
	err = module_source_digest(source, text);
	if (err)
		return err;
	digest_update(digest, text, sizeof(text));
	for (size_t i = 0; i < array_size(files); i++) {
		_cleanup_free_ char *path = NULL;

		path = path_join(build->request->kernel->path, files[i]);
		err = digest_file(path, text, NULL);
		if (err)
			return err;
		digest_update(digest, text, sizeof(text));
	}
	digest_finish(digest, key_ret);
	key_ret[MODULE_KEY_DIGITS] = '\0';
	return NULL;
}

/** The package's build folder, or a copy where make can work with it. */
static struct error *prepare_kernel(const struct build *build,
				    const char *scratch, char **ret)
{
	struct error *err;

	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *copy = NULL;
	_cleanup_string_list_ struct string_list files = STRING_LIST_INIT;

	path = path_join(build->request->kernel->path, "build");
	err = kernel_make_check_path(path);
	if (!err) {
		*ret = take_ptr(path);
		return NULL;
	}
	if (!error_catch(&err, ERROR_USAGE))
		return err;
	copy = path_join(scratch, "kernel");
	err = tree_list(path, NULL, &files);
	if (err)
		return err;
	err = tree_copy(path, &files, copy);
	if (err)
		return err;
	*ret = take_ptr(copy);
	return NULL;
}

/** The compiler for the kernel's version. */
static struct error *open_toolchain(const struct build *build,
				    struct toolchain *ret)
{
	const struct module_request *request = build->request;
	const char *release = request->kernel->release;
	struct kernel_version version;
	const char *end;

	if (!kernel_version_parse_prefix(release, &version, &end))
		return error_create(ERROR_OTHER,
				    "the release '%s' does not begin with a version",
				    release);
	return toolchain_open(request->catalog, request->arch, &version,
			      request->directory, request->http, ret);
}

static struct error *run_make(const struct build *build,
			      const struct toolchain *toolchain,
			      const char *scratch, const char *source)
{
	struct error *err;

	_cleanup_free_ char *kernel = NULL;
	_cleanup_close_ int log_fd = -1;
	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;

	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_COMPILED, "build %s for %s",
				 build->source, build->request->kernel->release);

	err = prepare_kernel(build, scratch, &kernel);
	if (err)
		return err;
	log_fd = open(build->log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		      0666);
	if (log_fd < 0)
		return error_create_os(errno, "open %s", build->log_path);
	string_list_addf(&arguments, "-j%u", processors_usable());
	// Debuggers look for the source where it is, if make can be told.
	err = kernel_make_check_path(build->source);
	string_list_addf(&arguments, "KCFLAGS=-ffile-prefix-map=%s=%s", source,
			 err ? "." : build->source);
	error_destroy(err);

	const struct kernel_make_module options = {
		.arch = build->request->arch,
		.compiler = toolchain->chosen,
		.kernel = kernel,
		.module = source,
		.arguments = (const char *const *)arguments.items,
		.progress = progress,
	};
	const struct kernel_make_log log = { build->log_path, log_fd };

	err = kernel_make_module(&options, &log);
	if (err)
		return err;
	progress_finish(progress);
	return NULL;
}

/** Build what is in @p scratch/source, and put the result under its name. */
static struct error *build_copy(const struct build *build, const char *scratch,
				const char *source, struct module *ret)
{
	struct error *err;

	_cleanup_toolchain_ struct toolchain toolchain = { 0 };
	char key[DIGEST_TEXT_SIZE];

	// Of the copy: the source may have changed since one looked.
	err = compute_key(build, source, key);
	if (err)
		return err;
	err = host_programs_check(build->request->kernel->path);
	if (!err)
		err = open_toolchain(build, &toolchain);
	if (err)
		return err;
	err = run_make(build, &toolchain, scratch, source);
	if (err)
		return err;
	err = module_result_create(build->folder, key, source, ret);
	return error_wrap(err, "see %s", build->log_path);
}

static struct error *build_locked(const struct build *build, struct module *ret)
{
	struct error *err;

	_cleanup_directory_ char *scratch = NULL;
	_cleanup_close_ int scratch_lock = -1;
	_cleanup_free_ char *source = NULL;
	const char *parent = build->folder;

	err = module_result_remove_stale(build->folder);
	if (err)
		return err;
	err = kernel_make_check_path(parent);
	if (error_catch(&err, ERROR_USAGE))
		parent = other_scratch;
	if (err)
		return err;
	err = directory_remove_stale(parent, scratch_prefix);
	if (err)
		return err;
	err = directory_create_temporary(parent, scratch_prefix, &scratch,
					 &scratch_lock);
	if (err)
		return err;
	source = path_join(scratch, "source");
	err = module_source_copy(build->source, source);
	if (err)
		return err;
	return build_copy(build, scratch, source, ret);
}

static struct error *find_result(const struct build *build, struct module *ret)
{
	struct error *err;

	char key[DIGEST_TEXT_SIZE];

	err = compute_key(build, build->source, key);
	if (err)
		return err;
	return module_result_open(build->folder, key, ret);
}

static struct error *find_or_build(const struct build *build, struct module *ret)
{
	struct error *err;

	_cleanup_free_ char *lock = NULL;
	_cleanup_close_ int lock_fd = -1;

	err = find_result(build, ret);
	if (err)
		return err;
	ret->cached = ret->path;
	if (ret->path)
		return NULL;
	err = directory_create(build->folder);
	if (err)
		return err;
	lock = path_join(build->folder, ".lock");
	err = file_lock(lock, &lock_fd);
	if (err)
		return err;
	// Who held the lock may have built it.
	err = find_result(build, ret);
	if (err)
		return err;
	ret->cached = ret->path;
	return ret->path ? NULL : build_locked(build, ret);
}

struct error *module_build(const struct module_request *request,
			   struct module *ret)
{
	struct error *err;

	_cleanup_build_ struct build build = { 0 };
	_cleanup_module_ struct module module = MODULE_INIT;

	err = build_init(&build, request);
	if (err)
		return err;
	err = find_or_build(&build, &module);
	if (err)
		return error_wrap(err, "module %s for %s", request->source,
				  request->kernel->release);
	*ret = module;
	module = (struct module)MODULE_INIT;
	return NULL;
}

struct error *module_remove_all(const char *directory, const char *arch,
				const char *kernel_path)
{
	_cleanup_free_ char *folder = NULL;
	const char *dash = strchr(strrchr(kernel_path, '/') + 1, '-');

	if (!dash)
		return NULL;
	kernel_folder(directory, arch, dash + 1, &folder);
	return directory_remove(folder);
}
