// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/build.h"

#include <stdlib.h>
#include <string.h>

#include "bot/build/boot.h"
#include "bot/plan/plan.h"
#include "common/archive/digest.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/kernel/toolchain.h"
#include "kbuild/config/config.h"
#include "kbuild/config/fragment.h"
#include "kbuild/kbuild.h"
#include "kbuild/package/package_info.h"
#include "kbuild/source/source.h"

void build_deinit(struct build *build)
{
	cache_release(build->entry);
	free(build->package);
	string_list_deinit(&build->lost_options);
	*build = (struct build){ 0 };
}

/** A package that is to be in the cache. */
struct making {
	const struct build_request *request;
	const struct plan_item *item;
	const struct source *source;
	struct build *build;
};

static struct error *add_compiler(const struct making *making,
				  struct string_builder *key)
{
	struct error *err;
	const struct build_request *request = making->request;
	const struct plan_item *item = making->item;
	_cleanup_toolchain_ struct toolchain toolchain = { 0 };

	err = toolchain_choose(request->catalog, item->arch,
			       &item->release.version, request->directory,
			       &toolchain);
	if (!err && toolchain.chosen)
		string_builder_appendf(key, "\n%s\n%s", toolchain.chosen->program,
				       toolchain.chosen->version);
	return err;
}

/**
 * Where a package is that is under way, named after what it is made from: one
 * that lies there is the one that building it again would make.
 */
static struct error *find_path(const struct making *making, char **ret)
{
	struct error *err;
	const struct build_request *request = making->request;
	const struct plan_item *item = making->item;
	const struct source *source = making->source;
	_cleanup_option_set_ struct option_set options = { 0 };
	_cleanup_string_builder_ struct string_builder key = STRING_BUILDER_INIT;
	_cleanup_free_ char *config = NULL, *text = NULL;
	char digest[DIGEST_TEXT_SIZE];

	err = config_compose(request->catalog, item->arch, &item->release,
			     &options);
	if (!err)
		config = option_set_format(&options);
	if (err)
		return err;
	// The source is named after its patches.
	string_builder_appendf(&key, "%s\n%s\n%s\n%s\n%s\n%s", VMTEST_VERSION,
			       item->release_text, item->arch->name,
			       strrchr(source->path, '/') + 1, source->digest,
			       config);
	err = add_compiler(making, &key);
	if (err)
		return err;
	text = string_builder_take(&key);
	digest_buffer(text, strlen(text), digest);
	*ret = path_joinf(request->directory, "packages/%.16s", digest);
	return NULL;
}

static struct error *making_make(void *arg, const char *path)
{
	struct error *err;
	const struct making *making = arg;
	const struct build_request *request = making->request;
	const struct plan_item *item = making->item;
	const struct source *source = making->source;
	_cleanup_free_ char *package = NULL;
	_cleanup_toolchain_ struct toolchain toolchain = { 0 };
	struct kbuild_request kbuild_request = {
		.catalog = request->catalog,
		.arch = item->arch,
		.release = item->release,
		.source = source,
		.output_directory = path,
		.log_path = request->log_path,
		.clock = &making->build->clock,
		.jobs = request->jobs,
	};

	err = toolchain_open(request->catalog, item->arch, &item->release.version,
			     request->directory, request->http, &toolchain);
	if (err)
		return err;
	kbuild_request.compiler = toolchain.chosen;
	return kbuild_build(&kbuild_request, &package);
}

static struct error *get_package(const struct build_request *request,
				 const struct plan_item *item,
				 const struct source *source, struct build *build)
{
	struct error *err;
	struct making making = { request, item, source, build };
	_cleanup_free_ char *path = NULL;
	char name[PACKAGE_NAME_SIZE];
	const struct cache_recipe recipe = {
		.make = making_make,
		.arg = &making,
		// make goes on where it was.
		.keeps_partial = true,
	};

	err = find_path(&making, &path);
	if (!err)
		err = cache_get(path, &recipe, &build->entry);
	if (err)
		return err;
	package_name_format(item->release_text, item->arch->name, name);
	if (!build->entry->made)
		log_info("%s was built by another run", name);
	build->package = path_join(path, name);
	return NULL;
}

static struct error *prepare_source(const struct build_request *request,
				    const struct plan_item *item,
				    struct build *build, struct source *ret)
{
	const struct source_spec spec = {
		.kind = SOURCE_VERSION,
		.version = item->release.version,
		.path = request->tarball,
	};
	const struct source_request source_request = {
		.spec = &spec,
		.catalog = request->catalog,
		.arch = item->arch,
		.http = request->http,
		.cache_directory = request->directory,
		.clock = &build->clock,
	};

	return source_prepare(&source_request, ret);
}

static struct error *run_phases(const struct build_request *request,
				const struct plan_item *item, struct build *build)
{
	struct error *err;
	_cleanup_source_ struct source source = { 0 };

	err = prepare_source(request, item, build, &source);
	if (err)
		return err;
	phase_clock_enter(&build->clock, PHASE_CONFIG);
	err = get_package(request, item, &source, build);
	if (!err)
		err = package_info_read_lost(build->package,
					     &build->lost_options);
	if (err)
		return err;
	phase_clock_enter(&build->clock, PHASE_BOOT);

	const struct boot_request boot_request = {
		.catalog = request->catalog,
		.directory = request->directory,
		.cache_directory = request->directory,
		.log_path = request->log_path,
	};
	return boot_test(&boot_request, item, build->package);
}

struct error *build_run(const struct build_request *request,
			const struct plan_item *item, struct build *build)
{
	struct error *err;

	err = run_phases(request, item, build);
	phase_clock_stop(&build->clock);
	if (err)
		free(take_ptr(build->package));
	return err;
}

struct error *build_discard(struct build *build)
{
	_cleanup_free_ char *path = string_copy(build->entry->path);
	bool gone;

	cache_release(take_ptr(build->entry));
	return cache_evict(path, false, &gone);
}
