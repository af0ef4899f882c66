// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <jansson.h>

#include "common/base/error.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "vm/rootfs/rootfs.h"

struct rootfs_options {
	/** As far as options say it. */
	struct rootfs_request request;
	struct string_list packages;
	struct project_options project;
};

#define INTO(type, field) OPTION_INTO(type, struct rootfs_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 0, "package", "NAME", "a Debian package to install besides the catalog's; repeatable", INTO(OPTION_ITEM, packages) },
	{ 0, "mirror", "URL", "Debian mirror (default: $VMTEST_DEBIAN_MIRROR, then that of mmdebstrap)", INTO(OPTION_STRING, request.mirror) },
	{ 0, "force", NULL, "make it again even if nothing has changed", INTO(OPTION_FLAG, request.force) },
	{ 0, "project", "FILE", "file to use instead of vmtest.json in the working directory", INTO(OPTION_STRING, project.path) },
	{ 0, "trust-project", NULL, TRUST_PROJECT_HELP, INTO(OPTION_FLAG, project.trust) },
	{ 0 },
};
// clang-format on

static struct error *make_one(struct command_context *context, const char *name,
			      const struct string_list *packages)
{
	struct error *err;
	const struct rootfs_options *rootfs_options = context->options;
	uint64_t start_ms = monotonic_ms();

	const struct catalog_arch *arch;
	err = catalog_find_arch(context->catalog, name, &arch);
	if (err)
		return err;
	struct rootfs_host abilities;
	err = rootfs_host_look(arch, !catalog_arch_is_host(arch), &abilities);
	if (err)
		return err;
	struct rootfs_request request = rootfs_options->request;
	request.arch = arch;
	request.host = &abilities;
	request.packages = packages;
	request.directory = context->directory;
	if (!request.mirror)
		request.mirror = command_variable("VMTEST_DEBIAN_MIRROR");
	_cleanup_cache_entry_ struct cache_entry *rootfs = NULL;
	err = rootfs_make(&request, &rootfs);
	if (err)
		return err;
	command_row(context,
		    json_pack("{s:s, s:o, s:s, s:f}", "arch", arch->name,
			      "path", text_json(rootfs->path), "state",
			      rootfs->made ? "made" : "cached", "seconds",
			      (double)(monotonic_ms() - start_ms) / 1000),
		    "%s", rootfs->path);
	return NULL;
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct rootfs_options *rootfs_options = context->options;

	_cleanup_project_ struct project project = { 0 };
	err = command_load_project(context, &rootfs_options->project, NULL,
				   false, &project);
	if (err)
		return err;
	err = command_open(context, COMMAND_CATALOG | COMMAND_DIRECTORY);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list archs = { 0 };
	err = command_archs(context, &archs);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list packages = { 0 };
	string_list_add_all(&packages, &context->catalog->rootfs.packages);
	string_list_add_all(&packages, &rootfs_options->packages);
	for (size_t i = 0; i < archs.count; i++) {
		err = make_one(context, archs.items[i], &packages);
		err = command_go_on(context, err, i + 1 == archs.count);
		if (err)
			return err;
	}
	return command_rows_print(context);
}

const struct command vm_rootfs_command = {
	.name = "rootfs",
	.summary = "make roots for guests of other architectures",
	.details =
		"Guests of other architectures than this machine's need a root of their own.\n"
		"This makes one for each of --arch, of Debian's essential packages, those that\n"
		"the catalog names, and those of --package or \"packages\" in vmtest.json, and\n"
		"prints its path. It is made with mmdebstrap, without root where the system has\n"
		"user namespaces, and kept below --directory until packages or suite change.",
	.options = { options },
	.options_size = sizeof(struct rootfs_options),
	.common = COMMON_ARCH | COMMON_DIRECTORY | COMMON_JSON,
	.run = run,
};
