// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/commands.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/cli/command.h"
#include "common/kernel/catalog.h"
#include "vm/rootfs/rootfs.h"
#include "vm/rootfs/rootfs_host.h"
#include "vm/suite/project.h"

// clang-format off
const struct command_option rootfs_option_table[] = {
	{ 0, "package", "NAME", "a Debian package to install besides the catalog's; repeatable", OPTION_ITEM, offsetof(struct rootfs_options, packages) },
	{ 0, "mirror", "URL", "Debian mirror (default: $VMTEST_DEBIAN_MIRROR, then that of mmdebstrap)", OPTION_STRING, offsetof(struct rootfs_options, mirror) },
	{ 0, "force", NULL, "make it again even if nothing has changed", OPTION_FLAG, offsetof(struct rootfs_options, force) },
	{ 0, "project", "FILE", "file to use instead of vmtest.json in the working directory", OPTION_STRING, offsetof(struct rootfs_options, project) },
	{ 0 },
};
// clang-format on

/** What all roots of one call have in common. */
struct job {
	const struct command_context *context;
	const struct rootfs_options *options;
	const struct catalog *catalog;
	/** NULL if it is none of the catalog's. */
	const struct catalog_arch *host;
	const char *directory;
	const char *mirror;
	struct string_list packages;
	/** NULL to print lines instead. */
	json_t *array;
};

static void job_deinit(struct job *job)
{
	string_list_deinit(&job->packages);
	json_decref(job->array);
}

#define _cleanup_job_ _cleanup_(job_deinit)

static struct error *apply_project(const struct command_context *context)
{
	struct error *err;

	const struct rootfs_options *options = context->options;
	_cleanup_project_ struct project project = { 0 };

	err = project_load(options->project, &project);
	for (size_t i = 0; !err && i < project.count; i++)
		err = command_set_default(context, project.settings[i].option,
					  &project.settings[i].values);
	return err;
}

static struct error *make_one(const struct job *job,
			      const struct catalog_arch *arch)
{
	struct error *err;

	struct rootfs_host host;
	const struct rootfs_request request = {
		.arch = arch,
		.host = &host,
		.packages = &job->packages,
		.mirror = job->mirror,
		.directory = job->directory,
		.force = job->options->force,
	};
	uint64_t start_ms = monotonic_ms();
	_cleanup_rootfs_ struct rootfs rootfs = ROOTFS_INIT;

	err = rootfs_host_look(arch, arch != job->host, &host);
	if (!err)
		err = rootfs_make(&request, &rootfs);
	if (err)
		return err;
	if (!job->array) {
		puts(rootfs.path);
		return NULL;
	}
	if (json_array_append_new(
		    job->array,
		    json_pack("{s:s, s:o, s:s, s:f}", "arch", arch->name,
			      "path", text_json(rootfs.path), "state",
			      rootfs.cached ? "cached" : "made", "seconds",
			      (double)(monotonic_ms() - start_ms) / 1000)) < 0)
		memory_exhausted();
	return NULL;
}

static struct error *make_all(const struct job *job,
			      const struct arch_list *archs, int *status_ret)
{
	struct error *err;

	for (size_t i = 0; i < archs->count; i++) {
		err = make_one(job, archs->items[i]);
		// Others may do where this one does not.
		if (err &&
		    (i + 1 == archs->count || error_is(err, ERROR_CANCELLED)))
			return err;
		if (err) {
			log_error("%s", error_message(err));
			error_destroy(err);
			*status_ret = 1;
		}
	}
	return NULL;
}

static void choose_packages(struct job *job)
{
	const struct string_list *lists[] = { &job->catalog->rootfs.packages,
					      &job->options->packages };

	for (size_t i = 0; i < array_size(lists); i++) {
		for (size_t j = 0; j < lists[i]->count; j++)
			string_list_add(&job->packages, lists[i]->items[j]);
	}
}

/** @return NULL for mmdebstrap's default. */
static const char *choose_mirror(const struct rootfs_options *options)
{
	const char *variable = getenv("VMTEST_DEBIAN_MIRROR");

	if (options->mirror)
		return options->mirror;
	return variable && *variable ? variable : NULL;
}

struct error *cmd_rootfs(const struct command_context *context, int *status_ret)
{
	struct error *err;

	_cleanup_catalog_ struct catalog *catalog = NULL;
	_cleanup_arch_list_ struct arch_list archs = { 0 };
	_cleanup_free_ char *directory = NULL;
	_cleanup_job_ struct job job = {
		.context = context,
		.options = context->options,
		.array = context->common->json ? json_array() : NULL,
	};

	err = apply_project(context);
	if (!err)
		err = command_load_catalog(context, &catalog);
	if (err)
		return err;
	job.catalog = catalog;
	// On a machine that the catalog does not know, all are foreign.
	error_destroy(catalog_host_arch(catalog, &job.host));
	err = command_archs(context, catalog, &archs);
	if (!err)
		choose_packages(&job);
	if (!err)
		err = command_directory(context, &directory);
	if (err)
		return err;
	job.mirror = choose_mirror(job.options);
	job.directory = directory;
	err = make_all(&job, &archs, status_ret);
	if (err || !job.array)
		return err;
	if (json_dumpf(job.array, stdout,
		       JSON_INDENT(2) | JSON_REAL_PRECISION(4)) < 0)
		memory_exhausted();
	putchar('\n');
	return NULL;
}
