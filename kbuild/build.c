// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/build.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/lock.h"
#include "common/base/memory.h"
#include "common/base/string_list.h"
#include "common/cache/cache.h"
#include "common/cli/progress.h"
#include "common/kernel/catalog.h"
#include "kbuild/config/configure.h"
#include "kbuild/make.h"
#include "kbuild/package/package.h"
#include "kbuild/phase.h"

static const char staging_prefix[] = "vmtest-package";

/** An existing folder's path from the root. */
static struct error *resolve(const char *path, char **ret)
{
	char *resolved = realpath(path, NULL);

	if (!resolved && errno == ENOMEM)
		memory_exhausted();
	if (!resolved)
		return error_create_os(errno, "open folder %s", path);
	*ret = resolved;
	return NULL;
}

static struct error *create_and_resolve(const char *path, char **ret)
{
	struct error *err;

	err = directory_create(path);
	if (err)
		return err;
	return resolve(path, ret);
}

/** Find out that the source is another version before building it. */
static struct error *check_release(struct make *make, const char *build,
				   const char *release)
{
	struct error *err;

	const char *const arguments[] = { "include/config/kernel.release", NULL };
	err = make_run(make, NULL, arguments);
	if (err)
		return err;
	_cleanup_free_ char *path =
		path_join(build, "include/config/kernel.release");
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

static struct error *configure(const struct kbuild_request *request,
			       struct make *make, const char *build,
			       const char *release, struct string_list *lost_ret)
{
	struct error *err;

	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "configure %s.%s", release,
				 request->arch->name);
	err = configure_build(request->catalog, request->arch,
			      &request->release, make, build, lost_ret);
	if (err)
		return err;
	return check_release(make, build, release);
}

static unsigned int expected_objects(const struct kbuild_request *request)
{
	const struct catalog_flavor *flavor;
	_cleanup_error_ struct error *err =
		catalog_find_flavor(request->catalog, request->release.flavor,
				    &flavor);

	return err ? 0 : flavor->objects;
}

static struct error *configure_and_make(const struct kbuild_request *request,
					struct make *make, const char *build,
					const char *release,
					struct string_list *lost_ret)
{
	struct error *err;

	err = configure(request, make, build, release, lost_ret);
	if (err)
		return err;
	phase_clock_enter(request->clock, PHASE_BUILD);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_COMPILED, "build %s.%s", release,
				 request->arch->name);
	progress_estimate(progress, expected_objects(request));
	const char *const arguments[] = {
		"vmlinux",
		request->arch->image_target,
		"modules",
		NULL,
	};
	err = make_run(make, progress, arguments);
	if (err)
		return err;
	progress_finish(progress);
	return NULL;
}

/** Give a staged package its final form and name. */
static struct error *deliver(const char *staged, enum kbuild_format format,
			     const char *path)
{
	if (format == KBUILD_FORMAT_TARBALL)
		return package_pack(staged, path, NULL);
	return cache_replace(staged, path);
}

static struct error *package(const struct kbuild_request *request,
			     struct make *make, const struct package_input *input,
			     const char *output, const char *path)
{
	struct error *err;

	phase_clock_enter(request->clock, PHASE_PACKAGE);
	const char *slash = strrchr(path, '/');
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "make %s", slash + 1);
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
	_cleanup_free_ char *staged = path_join(staging, "package");
	err = package_stage(input, make, staged);
	if (err)
		return err;
	_cleanup_free_ char *scratch = path_join(staging, "trial");
	err = package_prove(make, staged, scratch);
	if (err)
		return err;
	return deliver(staged, request->format, path);
}

/** The build itself, in folders that exist and are ours. */
static struct error *build_in(const struct kbuild_request *request,
			      const char *release, const char *output,
			      const char *build, const char *path)
{
	struct error *err;

	_cleanup_free_ char *source = NULL;
	err = resolve(request->source, &source);
	if (err)
		return err;
	_cleanup_free_ char *own_log = path_join(build, "vmtest-build.log");
	_cleanup_make_ struct make *make = NULL;
	err = make_create(source, build, request->arch, request->compiler,
			  request->jobs,
			  request->log_path ? request->log_path : own_log, &make);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list lost = STRING_LIST_INIT;
	err = configure_and_make(request, make, build, release, &lost);
	if (err)
		return err;
	static const struct string_list no_patches = STRING_LIST_INIT;
	struct package_input input = {
		.release = &request->release,
		.arch = request->arch,
		.source = source,
		.build = build,
		.source_url = request->source_url,
		.source_digest = request->source_digest,
		.patches = request->patches ? request->patches : &no_patches,
		.lost_options = &lost,
	};
	return package(request, make, &input, output, path);
}

static struct error *build(const struct kbuild_request *request,
			   const char *release, char **path_ret)
{
	struct error *err;

	_cleanup_free_ char *output = NULL;
	err = create_and_resolve(request->output_directory, &output);
	if (err)
		return err;
	char name[PACKAGE_NAME_SIZE];
	package_name_format(release, request->arch->name, name);
	if (request->format == KBUILD_FORMAT_DIRECTORY)
		name[strlen(name) - strlen(".tar.zst")] = '\0';
	_cleanup_free_ char *path = path_join(output, name);

	_cleanup_free_ char *wanted =
		request->build_directory
			? path_join(".", request->build_directory)
			: path_joinf(output, ".build-%s.%s", release,
				     request->arch->name);
	_cleanup_free_ char *folder = NULL;
	err = create_and_resolve(wanted, &folder);
	if (err)
		return err;
	_cleanup_close_ int lock_fd = -1;
	err = directory_lock(folder, &lock_fd);
	if (err)
		return err;
	err = build_in(request, release, output, folder, path);
	if (err)
		return err;
	if (!request->build_directory) {
		// Who waits for it must not go on in half of it.
		err = cache_discard(folder);
		if (err)
			return err;
	}
	*path_ret = take_ptr(path);
	return NULL;
}

struct error *kbuild_build(const struct kbuild_request *request, char **path_ret)
{
	char release[RELEASE_TEXT_SIZE];

	release_format(&request->release, release);
	phase_clock_enter(request->clock, PHASE_CONFIG);
	return error_wrap(build(request, release, path_ret), "build %s.%s",
			  release, request->arch->name);
}
