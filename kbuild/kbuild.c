// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/kbuild.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "kbuild/config/config.h"
#include "kbuild/make.h"
#include "kbuild/package/package.h"
#include "kbuild/phase.h"
#include "kbuild/source/source.h"

static const char staging_prefix[] = "vmtest-package";

static struct error *create_and_resolve(const char *path, char **ret)
{
	struct error *err;

	err = directory_create(path);
	if (err)
		return err;
	*ret = realpath(path, NULL);
	if (!*ret)
		return error_create_os(errno, "open directory %s", path);
	return NULL;
}

/** What a tree's configuration is made of: a whole .config, or options; free(). */
static struct error *find_asked(const struct kbuild_request *request, char **ret)
{
	struct error *err;

	if (request->config_path) {
		err = file_read(request->config_path, CONFIG_LIMIT_BYTES, ret,
				NULL);
		if (error_catch(&err, ERROR_NOT_FOUND))
			return error_create(ERROR_USAGE, "%s: no such file",
					    request->config_path);
		return err;
	}
	_cleanup_option_set_ struct option_set set = { 0 };
	err = config_compose(request->config, &set);
	if (!err)
		*ret = option_set_format(&set);
	return err;
}

/** Kconfig takes most of the time of a build that has nothing to do. */
static struct error *configure_tree(const struct kbuild_request *request,
				    struct make *make,
				    struct string_list *lost_ret)
{
	struct error *err;

	static const char *const olddefconfig[] = { "olddefconfig", NULL };
	_cleanup_free_ char *stamp = path_join(make->build, ".vmtest-stamp");
	_cleanup_free_ char *config = path_join(make->build, ".config");
	_cleanup_free_ char *asked = NULL;
	_cleanup_free_ char *before = NULL;
	err = find_asked(request, &asked);
	if (err)
		return err;
	_cleanup_free_ char *now =
		string_format("%s %s\n%s", request->compiler->program,
			      request->compiler->version, asked);
	err = file_read(stamp, CONFIG_LIMIT_BYTES, &before, NULL);
	if (!err && strcmp(before, now) == 0 && config_is_current(make))
		return NULL;
	error_destroy(err);
	err = file_delete(stamp);
	if (!err && !request->config_path)
		err = configure_build(request->config, make, lost_ret, NULL);
	else if (!err)
		err = file_write(config, asked, strlen(asked));
	if (!err && request->config_path)
		err = make_run(make, NULL, olddefconfig);
	return err ? err : file_write(stamp, now, strlen(now));
}

static struct error *configure(const struct kbuild_request *request,
			       const char *release, struct make *make,
			       struct string_list *lost_ret)
{
	struct error *err;

	if (request->format == KBUILD_FORMAT_TREE)
		return configure_tree(request, make, lost_ret);
	err = configure_build(request->config, make, lost_ret, NULL);
	if (err)
		return err;
	// The source may be another version: better known before it is built.
	const char *const arguments[] = { "include/config/kernel.release", NULL };
	err = make_run(make, NULL, arguments);
	if (err)
		return err;
	_cleanup_free_ char *path = path_join(make->build, arguments[0]);
	_cleanup_free_ char *found = NULL;
	err = file_read(path, RELEASE_TEXT_SIZE, &found, NULL);
	if (err)
		return err;
	found[strcspn(found, "\n")] = '\0';
	if (strcmp(found, release) != 0)
		return error_create(ERROR_OTHER,
				    "the source makes %s; name its version, or remove its localversion files",
				    found);
	return NULL;
}

static struct error *compile(const struct kbuild_request *request,
			     const char *release, const struct make *make)
{
	struct error *err;

	phase_clock_enter(request->clock, PHASE_BUILD);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_COMPILED, "build %s.%s", release,
				 request->config->arch->name);
	progress_update(progress, 0, request->config->flavor->objects);
	const char *const arguments[] = {
		"vmlinux",
		request->config->arch->image_target,
		"modules",
		NULL,
	};
	err = make_run(make, progress, arguments);
	if (err)
		return err;
	progress_finish(progress);
	return NULL;
}

static struct error *package(const struct kbuild_request *request,
			     const struct make *make,
			     const struct string_list *lost, const char *output,
			     const char *path)
{
	struct error *err;

	phase_clock_enter(request->clock, PHASE_PACKAGE);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "make %s", path_name(path));
	err = directory_remove_stale(output, staging_prefix);
	if (err)
		return err;
	err = cache_clean(output, true);
	if (err)
		return err;
	_cleanup_close_ int lock_fd = -1;
	_cleanup_directory_ char *staging = NULL;
	err = directory_create_temporary(output, staging_prefix, &staging,
					 &lock_fd);
	if (err)
		return err;
	const struct package_input input = {
		.release = &request->config->release,
		.source = request->source,
		.lost_options = lost,
	};
	_cleanup_free_ char *staged = path_join(staging, "package");
	err = package_stage(&input, make, staged);
	if (err)
		return err;
	_cleanup_free_ char *scratch = path_join(staging, "trial");
	err = package_prove(make, staged, scratch);
	if (err)
		return err;
	if (request->format == KBUILD_FORMAT_DIRECTORY)
		return cache_replace(staged, path);
	// What a run that is killed leaves goes with the directory.
	_cleanup_free_ char *packed = path_join(staging, path_name(path));
	err = package_pack(staged, packed);
	if (err)
		return err;
	if (rename(packed, path) < 0)
		return error_create_os(errno, "rename %s to %s", packed, path);
	return NULL;
}

static struct error *build(const struct kbuild_request *request,
			   const char *release, char **path_ret)
{
	struct error *err;

	const bool is_tree = request->format == KBUILD_FORMAT_TREE;
	_cleanup_free_ char *output = NULL;
	err = create_and_resolve(is_tree ? request->build_directory
					 : request->output_directory,
				 &output);
	if (err)
		return err;
	const struct catalog_arch *arch = request->config->arch;
	char name[PACKAGE_NAME_SIZE];
	package_name_format(release, arch->name, name);
	if (request->format == KBUILD_FORMAT_DIRECTORY)
		name[strlen(name) - strlen(".tar.zst")] = '\0';
	_cleanup_free_ char *path = path_join(output, name);

	_cleanup_free_ char *wanted =
		request->build_directory
			? string_copy(request->build_directory)
			: path_joinf(output, ".build-%s.%s", release, arch->name);
	_cleanup_free_ char *directory = NULL;
	err = create_and_resolve(wanted, &directory);
	if (err)
		return err;
	_cleanup_close_ int lock_fd = -1;
	err = directory_lock(directory, &lock_fd);
	if (err)
		return err;
	_cleanup_free_ char *log = path_join(directory, "vmtest-build.log");
	_cleanup_make_ struct make make = { 0 };
	err = make_init(&make, request->source->path, directory, arch,
			request->compiler, request->jobs,
			request->log_path ? request->log_path : log);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list lost = { 0 };
	err = configure(request, release, &make, &lost);
	if (err)
		return err;
	err = compile(request, release, &make);
	if (!err && is_tree)
		*path_ret = take_ptr(directory);
	if (err || is_tree)
		return err;
	err = package(request, &make, &lost, output, path);
	if (err)
		return err;
	if (!request->build_directory) {
		// Who waits for it must not go on in half of it.
		err = cache_discard(directory);
		if (err)
			return err;
	}
	*path_ret = take_ptr(path);
	return NULL;
}

struct error *kbuild_build(const struct kbuild_request *request, char **path_ret)
{
	char release[RELEASE_TEXT_SIZE];

	release_format(&request->config->release, release);
	phase_clock_enter(request->clock, PHASE_CONFIG);
	return error_wrap(build(request, release, path_ret), "build %s.%s",
			  release, request->config->arch->name);
}
