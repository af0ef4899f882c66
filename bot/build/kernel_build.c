// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/build.h"

#include <stdio.h>
#include <stdlib.h>

#include "bot/plan/plan.h"
#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "kbuild/config/config.h"
#include "kbuild/kbuild.h"
#include "kbuild/package/package.h"
#include "kbuild/source/source.h"

enum {
	LOG_LIMIT_BYTES = 256 << 20,
};

char *build_log_excerpt(const char *path)
{
	_cleanup_free_ char *log = NULL;
	size_t size;
	_cleanup_error_ struct error *err =
		file_read(path, LOG_LIMIT_BYTES, &log, &size);

	return err ? string_format("%s\n", error_message(err))
		   : kernel_make_excerpt(log, size);
}

void kernel_build_deinit(struct kernel_build *build)
{
	cache_release(build->entry);
	free(build->package);
	build_result_deinit(&build->result);
	*build = (struct kernel_build){ 0 };
}

/** A package that is to be in the cache. */
struct kernel_making {
	const struct build_request *request;
	const struct plan_item *item;
	struct kernel_build *build;
	struct config_request config;
	struct source source;
};

/**
 * Where a package is that is under way, named after what it is made from: one
 * that lies there is the one that building it again would make.
 */
static struct error *find_path(const struct kernel_making *making, char **ret)
{
	struct error *err;

	const struct build_request *request = making->request;
	const struct plan_item *item = making->item;
	const struct source *source = &making->source;
	_cleanup_option_set_ struct option_set options = { 0 };
	err = config_compose(&making->config, &options);
	if (err)
		return err;
	_cleanup_compiler_ struct compiler compiler = { 0 };
	err = compiler_find(request->catalog, item->arch, &item->release.version,
			    request->directory, &compiler);
	if (err)
		return err;
	making->build->result.compiler = string_copy(compiler.version);
	_cleanup_free_ char *config = option_set_format(&options);
	_cleanup_string_builder_ struct string_builder key = { 0 };
	// The source is named after its patches.
	string_builder_appendf(&key, "%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s",
			       VMTEST_VERSION, item->release_text,
			       item->arch->name, path_name(source->path),
			       source->digest, config, compiler.program,
			       compiler.version);
	char digest[DIGEST_TEXT_SIZE];
	digest_buffer(key.text, key.length, digest);
	*ret = path_joinf(request->directory, "packages/%.16s", digest);
	return NULL;
}

static struct error *make_package(void *arg, const char *path)
{
	struct error *err;

	const struct kernel_making *making = arg;
	const struct build_request *request = making->request;
	const struct plan_item *item = making->item;
	_cleanup_compiler_ struct compiler compiler = { 0 };
	err = compiler_open(request->catalog, item->arch, &item->release.version,
			    request->directory, request->http, &compiler);
	if (err)
		return err;
	_cleanup_free_ char *package = NULL;
	const struct kbuild_request kbuild_request = {
		.config = &making->config,
		.compiler = &compiler,
		.source = &making->source,
		.output_directory = path,
		.log_path = request->log_path,
		.clock = &making->build->result.clock,
		.jobs = request->jobs,
	};
	return kbuild_build(&kbuild_request, &package);
}

static struct error *run_phases(struct kernel_making *making)
{
	struct error *err;

	const struct build_request *request = making->request;
	const struct plan_item *item = making->item;
	struct kernel_build *build = making->build;
	struct phase_clock *clock = &build->result.clock;
	const struct source_request source_request = {
		.kind = SOURCE_VERSION,
		.version = item->release.version,
		.path = request->tarball,
		.catalog = request->catalog,
		.arch = item->arch,
		.http = request->http,
		.cache_directory = request->directory,
		.clock = clock,
	};
	err = source_prepare(&source_request, &making->source);
	if (err)
		return err;
	phase_clock_enter(clock, PHASE_CONFIG);
	err = catalog_find_flavor(request->catalog, item->release.flavor,
				  &making->config.flavor);
	if (err)
		return err;
	const struct cache_recipe recipe = {
		.make = make_package,
		.arg = making,
		// make goes on where it was.
		.keeps_partial = true,
	};
	_cleanup_free_ char *path = NULL;
	err = find_path(making, &path);
	if (err)
		return err;
	err = cache_get(path, &recipe, &build->entry);
	if (err)
		return err;
	char name[PACKAGE_NAME_SIZE];
	package_name_format(item->release_text, item->arch->name, name);
	if (!build->entry->made)
		log_info("%s was built by another run", name);
	build->package = path_join(path, name);
	_cleanup_package_notes_ struct package_notes notes = { 0 };
	err = package_notes_load(build->package, &notes);
	if (err)
		return err;
	build->result.lost_options = take(notes.lost_options);
	phase_clock_enter(clock, PHASE_BOOT);
	return boot_test(request, item, build->package);
}

struct error *kernel_build_run(const struct build_request *request,
			       const struct plan_item *item,
			       struct kernel_build *build)
{
	struct error *err;

	struct kernel_making making = {
		.request = request,
		.item = item,
		.build = build,
		.config = {
			.catalog = request->catalog,
			.arch = item->arch,
			.release = item->release,
		},
	};
	build->result.release = item->release;
	snprintf(build->result.arch, sizeof(build->result.arch), "%s",
		 item->arch->name);
	err = run_phases(&making);
	source_deinit(&making.source);
	phase_clock_stop(&build->result.clock);
	if (err)
		free(take_ptr(build->package));
	return err;
}

struct error *kernel_build_discard(struct kernel_build *build)
{
	_cleanup_free_ char *path = string_copy(build->entry->path);
	bool gone;

	cache_release(take_ptr(build->entry));
	return cache_evict(path, false, &gone);
}
