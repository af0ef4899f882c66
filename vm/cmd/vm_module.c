// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <jansson.h>

#include "common/base/error.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "vm/kernel/kernel.h"
#include "vm/module/module.h"

struct module_options {
	const char *source;
};

// clang-format off
static const struct command_option options[] = {
	{ 0, "module-source", "DIR", "source of the module (default: drgn_test.ko's)", OPTION_INTO(OPTION_STRING, struct module_options, source) },
	{ 0 },
};
// clang-format on

struct error *command_module(struct command_context *context,
			     const struct catalog_arch *arch,
			     const struct kernel *kernel, const char *source,
			     struct module *ret)
{
	struct error *err;

	_cleanup_free_ char *installed = NULL;
	if (!source) {
		err = data_path("module", &installed);
		if (err)
			return err;
	}
	err = command_open(context, COMMAND_DIRECTORY);
	if (err)
		return err;
	const struct module_request request = {
		.catalog = context->catalog,
		.kernel = kernel,
		.arch = arch,
		.source = source ? source : installed,
		.directory = context->directory,
		.temporary = command_temporary("/tmp"),
		.http = context->http,
	};
	return module_build(&request, ret);
}

static struct error *build_one(struct command_context *context,
			       const char *arch_name, const char *pattern)
{
	struct error *err;
	const struct module_options *module_options = context->options;

	const struct catalog_arch *arch;
	err = catalog_find_arch(context->catalog, arch_name, &arch);
	if (err)
		return err;
	_cleanup_kernel_ struct kernel kernel = { 0 };
	err = command_kernel(context, arch_name, pattern, &kernel);
	if (err)
		return err;
	uint64_t start_ms = monotonic_ms();
	_cleanup_module_ struct module module = { 0 };
	err = command_module(context, arch, &kernel, module_options->source,
			     &module);
	if (err)
		return err;
	command_row(context,
		    json_pack("{s:s, s:s, s:o, s:s, s:f}", "kernel",
			      kernel.release, "arch", arch->name, "path",
			      text_json(module.path), "state",
			      module.entry->made ? "built" : "cached", "seconds",
			      (double)(monotonic_ms() - start_ms) / 1000),
		    "%s", module.path);
	return NULL;
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct string_list *kernels = &context->common->kernels;

	if (!kernels->count)
		return error_create(ERROR_USAGE,
				    "module: say for which kernels with --kernel");
	_cleanup_string_list_ struct string_list archs = { 0 };
	err = command_archs(context, &archs);
	if (err)
		return err;
	size_t count = archs.count * kernels->count;
	for (size_t i = 0; i < count; i++) {
		err = build_one(context, archs.items[i / kernels->count],
				kernels->items[i % kernels->count]);
		err = command_go_on(context, err, i + 1 == count);
		if (err)
			return err;
	}
	return command_rows_print(context);
}

const struct command vm_module_command = {
	.name = "module",
	.summary = "build a module for the newest match of each --kernel",
	.details =
		"Builds an external module in a copy of its source, and prints its path; of\n"
		"several modules, of the first in obj-m. Once built, it is kept as long as\n"
		"neither source nor kernel changes.",
	.options = { options },
	.options_size = sizeof(struct module_options),
	.common = COMMON_SELECTION | COMMON_DOWNLOAD | COMMON_JSON,
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY,
	.run = run,
};
