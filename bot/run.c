// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bot/boot.h"
#include "bot/plan.h"
#include "bot/publish.h"
#include "bot/report.h"
#include "bot/session.h"
#include "common/catalog.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/file.h"
#include "common/log.h"
#include "common/process.h"
#include "common/string_builder.h"
#include "kbuild/build.h"
#include "kbuild/config.h"
#include "kbuild/fragment.h"
#include "kbuild/source.h"

/** What is the same for all items of a run. */
struct runner {
	struct session *session;
	const char *directory;
	unsigned int jobs;
};

/**
 * The folder of a package that is under way, named after what it is made from:
 * a package that lies there is the one that building it again would make.
 */
static struct error *work_directory(const struct runner *runner,
				    const struct plan_item *item,
				    const struct source *source, char **ret)
{
	struct error *err;
	_cleanup_option_set_ struct option_set options = OPTION_SET_INIT;
	_cleanup_string_builder_ struct string_builder key = STRING_BUILDER_INIT;
	_cleanup_free_ char *config = NULL, *text = NULL;
	char digest[DIGEST_TEXT_SIZE];

	err = config_compose(runner->session->catalog, item->arch,
			     &item->release, &options);
	if (!err)
		err = option_set_format(&options, &config);
	if (err)
		return err;
	string_builder_appendf(&key, "%s\n%s\n%s\n%s", item->release_text,
			       item->arch->name, source->digest, config);
	for (size_t i = 0; i < source->patches.count; i++)
		string_builder_appendf(&key, "\n%s", source->patches.items[i]);
	err = string_builder_finish(&key, &text);
	if (!err)
		err = digest_buffer(text, strlen(text), digest);
	if (err)
		return err;
	return path_joinf(ret, runner->directory, "packages/%.16s", digest);
}

static struct error *build(const struct runner *runner,
			   const struct plan_item *item,
			   const struct source *source, const char *work,
			   char **path_ret)
{
	struct error *err;
	_cleanup_free_ char *path = NULL;
	char name[PACKAGE_NAME_SIZE];
	const struct kbuild_request request = {
		.catalog = runner->session->catalog,
		.arch = item->arch,
		.release = item->release,
		.source = source->path,
		.source_url = source->url,
		.source_digest = *source->digest ? source->digest : NULL,
		.patches = &source->patches,
		.output_directory = work,
		.jobs = runner->jobs,
	};

	package_name_format(item->release_text, item->arch->name, name);
	err = path_join(work, name, &path);
	if (err)
		return err;
	if (file_exists(path)) {
		log_info("%s was built by an earlier run", name);
		*path_ret = take_ptr(path);
		return NULL;
	}
	err = directory_create(work);
	if (!err)
		err = kbuild_build(&request, path_ret);
	return err;
}

static struct error *run_item(const struct runner *runner,
			      const struct plan_item *item,
			      uint64_t *size_bytes_ret)
{
	struct error *err;
	_cleanup_source_ struct source source = { 0 };
	_cleanup_free_ char *work = NULL, *package = NULL, *url = NULL;
	const struct source_spec spec = {
		.kind = SOURCE_VERSION,
		.version = item->release.version,
	};
	const struct source_request source_request = {
		.spec = &spec,
		.catalog = runner->session->catalog,
		.arch = item->arch,
		.http = runner->session->http,
		.cache_directory = runner->directory,
	};
	struct stat st;

	err = source_prepare(&source_request, &source);
	if (!err)
		err = work_directory(runner, item, &source, &work);
	if (!err)
		err = build(runner, item, &source, work, &package);
	if (!err)
		err = boot_test(item, package, work);
	if (!err)
		err = publish_package(runner->session->store, package, &url);
	if (err)
		return err;
	if (stat(package, &st) == 0)
		*size_bytes_ret = (uint64_t)st.st_size;
	log_info("published %s", url);
	return directory_remove(work);
}

struct error *run_plan_items(struct session *session, const struct plan *plan,
			     const char *directory, unsigned int jobs,
			     struct report *report)
{
	const struct runner runner = {
		.session = session,
		.directory = directory,
		.jobs = jobs,
	};

	for (size_t i = 0; i < plan->count; i++) {
		struct error *err;
		const struct plan_item *item = &plan->items[i];
		uint64_t start_ms = monotonic_ms(), size_bytes = 0;

		log_info("%zu of %zu: %s for %s", i + 1, plan->count,
			 item->release_text, item->arch->name);
		err = run_item(&runner, item, &size_bytes);
		if (error_is(err, ERROR_CANCELLED))
			return err;
		if (err)
			log_error("%s: %s", item->release_text,
				  error_message(err));
		err = report_add(report, item, err, size_bytes,
				 monotonic_ms() - start_ms);
		if (err)
			return err;
	}
	return NULL;
}
