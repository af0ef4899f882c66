// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/catalog.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/file.h"
#include "common/kernel_make.h"
#include "common/progress.h"
#include "common/string_builder.h"
#include "common/string_list.h"
#include "common/tree.h"
#include "vm/kernel.h"
#include "vm/module_source.h"

enum {
	/** Digits of a digest that are enough for the name of a folder. */
	NAME_DIGITS = 16,
	NAME_LIST_BYTES = 1 << 20,
};

/** In a result: the names of its modules, a line each, the first that counts. */
static const char list_name[] = "modules";

/** Where make works, if the folder of results has a name that it cannot take. */
static const char other_scratch[] = "/tmp";

static const char scratch_prefix[] = "vmtest-module";
static const char result_prefix[] = "result";

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

void module_deinit(struct module *module)
{
	free(module->path);
	cleanup_close(&module->lock_fd);
	*module = (struct module)MODULE_INIT;
}

/** Where the results of all sources for one kernel lie. */
static struct error *kernel_folder(const char *directory, const char *arch,
				   const char *release, char **ret)
{
	return path_joinf(ret, directory, "%s/module/%s", arch, release);
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
	err = kernel_folder(request->directory, request->arch->name,
			    request->kernel->release, &parent);
	if (err)
		return err;
	err = path_joinf(&build->folder, parent, "%.*s", (int)NAME_DIGITS,
			 source);
	if (err)
		return err;
	return path_join(build->folder, "build.log", &build->log_path);
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

		err = path_join(build->request->kernel->path, files[i], &path);
		if (err)
			return err;
		err = digest_file(path, text, NULL);
		if (err)
			return err;
		digest_update(digest, text, sizeof(text));
	}
	digest_finish(digest, key_ret);
	key_ret[NAME_DIGITS] = '\0';
	return NULL;
}

/** @param[out] ret Not touched if there is no such result. */
static struct error *open_result(const char *path, struct module *ret)
{
	struct error *err;

	_cleanup_module_ struct module module = MODULE_INIT;
	_cleanup_free_ char *list = NULL;
	_cleanup_free_ char *names = NULL;
	_cleanup_free_ char *file = NULL;

	module.lock_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	// One that is locked for good is being deleted.
	if (module.lock_fd < 0 || flock(module.lock_fd, LOCK_SH | LOCK_NB) < 0)
		return NULL;
	err = path_join(path, list_name, &list);
	if (err)
		return err;
	err = file_read(list, NAME_LIST_BYTES, &names, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;
	names[strcspn(names, "\n")] = '\0';
	err = path_join(path, names, &file);
	if (err)
		return err;
	module.path = realpath(file, NULL);
	if (!module.path)
		return NULL;
	*ret = module;
	module = (struct module)MODULE_INIT;
	return NULL;
}

/** Delete the results of other contents, unless they are in use. */
static struct error *remove_others(const char *folder, const char *key)
{
	struct error *err = NULL;
	DIR *dir = opendir(folder);

	if (!dir)
		return error_create_os(errno, "read %s", folder);
	for (struct dirent *entry; !err && (entry = readdir(dir));) {
		const char *name = entry->d_name;
		_cleanup_free_ char *path = NULL;
		_cleanup_free_ char *leftover = NULL;
		_cleanup_close_ int fd = -1;

		if (strlen(name) != NAME_DIGITS || strcmp(name, key) == 0)
			continue;
		fd = openat(dirfd(dir), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			continue;
		err = path_join(folder, name, &path);
		if (!err)
			err = path_joinf(&leftover, folder, ".%s.%.6s",
					 result_prefix, name);
		// Half deleted, it must not have the name of a result.
		if (!err && rename(path, leftover) < 0)
			err = error_create_os(errno, "rename %s", path);
		if (!err)
			err = directory_remove(leftover);
	}
	closedir(dir);
	return err;
}

/** Names of the modules that make made, from its own list of them. */
static struct error *list_modules(const char *source, struct string_list *ret)
{
	struct error *err;

	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *text = NULL;

	err = path_join(source, "modules.order", &path);
	if (err)
		return err;
	err = file_read(path, NAME_LIST_BYTES, &text, NULL);
	if (err && !error_is(err, ERROR_NOT_FOUND))
		return err;
	error_destroy(err);

	char *rest = text;

	// `fs/foo.o`, or with a path and as .ko in older kernels.
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *dot = strrchr(line, '.');

		if (!dot)
			continue;
		*dot = '\0';
		string_list_addf(ret, "%s.ko", line);
	}
	if (!ret->count)
		return error_create(ERROR_OTHER,
				    "make made no module; does the Makefile set obj-m?");
	return string_list_check(ret);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/** Find a module of modules.order, whose paths begin anywhere. */
static const char *find_module(const struct string_list *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++) {
		if (strcmp(base_name(files->items[i]), base_name(name)) == 0)
			return files->items[i];
	}
	return NULL;
}

/** Fill a result's folder. */
static struct error *collect(const char *source, const char *result)
{
	struct error *err;

	_cleanup_string_list_ struct string_list names = STRING_LIST_INIT;
	_cleanup_string_list_ struct string_list files = STRING_LIST_INIT;
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *list = NULL;

	err = list_modules(source, &names);
	if (err)
		return err;
	err = tree_list(source, NULL, &files);
	if (err)
		return err;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = base_name(names.items[i]);
		const char *file = find_module(&files, name);
		_cleanup_free_ char *from = NULL;
		_cleanup_free_ char *to = NULL;

		if (!file)
			return error_create(ERROR_OTHER, "make did not make %s",
					    name);
		err = path_join(source, file, &from);
		if (err)
			return err;
		err = path_join(result, name, &to);
		if (err)
			return err;
		err = file_copy(from, to);
		if (err)
			return err;
		string_builder_appendf(&sb, "%s\n", name);
	}
	err = string_builder_finish(&sb, &text);
	if (err)
		return err;
	err = path_join(result, list_name, &list);
	if (err)
		return err;
	return file_write(list, text, strlen(text));
}

/** The package's build folder, or a copy where make can work with it. */
static struct error *prepare_kernel(const struct build *build,
				    const char *scratch, char **ret)
{
	struct error *err;

	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *copy = NULL;
	_cleanup_string_list_ struct string_list files = STRING_LIST_INIT;

	err = path_join(build->request->kernel->path, "build", &path);
	if (err)
		return err;
	err = kernel_make_check_path(path);
	if (!err) {
		*ret = take_ptr(path);
		return NULL;
	}
	if (!error_catch(&err, ERROR_USAGE))
		return err;
	err = path_join(scratch, "kernel", &copy);
	if (err)
		return err;
	err = tree_list(path, NULL, &files);
	if (err)
		return err;
	err = tree_copy(path, &files, copy);
	if (err)
		return err;
	*ret = take_ptr(copy);
	return NULL;
}

static struct error *run_make(const struct build *build, const char *scratch,
			      const char *source)
{
	struct error *err;

	_cleanup_free_ char *kernel = NULL;
	_cleanup_close_ int log_fd = -1;
	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;
	_cleanup_free_ char *what = NULL;

	err = prepare_kernel(build, scratch, &kernel);
	if (err)
		return err;
	log_fd = open(build->log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		      0666);
	if (log_fd < 0)
		return error_create_os(errno, "open %s", build->log_path);
	string_list_addf(&arguments, "-j%ld", sysconf(_SC_NPROCESSORS_ONLN));
	// Debuggers look for the source where it is, if make can be told.
	err = kernel_make_check_path(build->source);
	string_list_addf(&arguments, "KCFLAGS=-ffile-prefix-map=%s=%s", source,
			 err ? "." : build->source);
	error_destroy(err);
	err = string_list_check(&arguments);
	if (err)
		return err;
	if (asprintf(&what, "build %s for %s", build->source,
		     build->request->kernel->release) < 0) {
		what = NULL;
		return error_no_memory();
	}

	_cleanup_progress_ struct progress *progress =
		progress_create(what, PROGRESS_COUNT);
	const struct kernel_make_module options = {
		.arch = build->request->arch,
		.cross_prefix = build->request->cross_prefix,
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

	_cleanup_directory_ char *temporary = NULL;
	_cleanup_close_ int lock_fd = -1;
	_cleanup_free_ char *path = NULL;
	char key[DIGEST_TEXT_SIZE];

	// Of the copy: the source may have changed since one looked.
	err = compute_key(build, source, key);
	if (err)
		return err;
	err = run_make(build, scratch, source);
	if (err)
		return err;
	err = directory_create_temporary(build->folder, result_prefix,
					 &temporary, &lock_fd);
	if (err)
		return err;
	err = collect(source, temporary);
	if (err)
		return error_wrap(err, "see %s", build->log_path);
	err = path_join(build->folder, key, &path);
	if (err)
		return err;
	// What is there has been damaged, or it would have been found.
	err = directory_remove(path);
	if (err)
		return err;
	if (chmod(temporary, 0755) < 0 || rename(temporary, path) < 0)
		return error_create_os(errno, "rename %s to %s", temporary, path);
	free(take_ptr(temporary));
	close(take_fd(&lock_fd));
	err = open_result(path, ret);
	if (err)
		return err;
	if (!ret->path)
		return error_create(ERROR_OTHER, "%s is gone again", path);
	return remove_others(build->folder, key);
}

static struct error *build_locked(const struct build *build, struct module *ret)
{
	struct error *err;

	_cleanup_directory_ char *scratch = NULL;
	_cleanup_close_ int scratch_lock = -1;
	_cleanup_free_ char *source = NULL;
	const char *parent = build->folder;

	err = directory_remove_stale(build->folder, result_prefix);
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
	err = path_join(scratch, "source", &source);
	if (err)
		return err;
	err = module_source_copy(build->source, source);
	if (err)
		return err;
	return build_copy(build, scratch, source, ret);
}

static struct error *find_result(const struct build *build, struct module *ret)
{
	struct error *err;

	_cleanup_free_ char *path = NULL;
	char key[DIGEST_TEXT_SIZE];

	err = compute_key(build, build->source, key);
	if (err)
		return err;
	err = path_join(build->folder, key, &path);
	if (err)
		return err;
	return open_result(path, ret);
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
	err = path_join(build->folder, ".lock", &lock);
	if (err)
		return err;
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
	struct error *err;

	_cleanup_free_ char *folder = NULL;
	const char *dash = strchr(base_name(kernel_path), '-');

	if (!dash)
		return NULL;
	err = kernel_folder(directory, arch, dash + 1, &folder);
	if (err)
		return err;
	return directory_remove(folder);
}
