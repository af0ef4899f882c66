// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/commands.h"

#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/cli/command.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "vm/kernel/kernel.h"
#include "vm/module/module.h"

// clang-format off
const struct command_option module_option_table[] = {
	{ 0, "module-source", "DIR", "source of the module (default: drgn_test.ko's)", OPTION_STRING, offsetof(struct module_options, source) },
	{ 0 },
};
// clang-format on

struct error *command_module(const struct command_context *context,
			     const struct catalog *catalog,
			     const struct catalog_arch *arch,
			     const struct kernel *kernel, const char *source,
			     struct module *ret)
{
	struct error *err;

	_cleanup_free_ char *installed = NULL;
	_cleanup_free_ char *directory = NULL;
	_cleanup_http_ struct http *http = NULL;
	struct module_request request = {
		.catalog = catalog,
		.kernel = kernel,
		.arch = arch,
		.source = source,
	};

	if (!source) {
		err = data_path("module", &installed);
		if (err)
			return err;
		request.source = installed;
	}
	err = command_directory(context, &directory);
	if (!err)
		err = command_http(&http);
	if (err)
		return err;
	request.directory = directory;
	request.http = http;
	return module_build(&request, ret);
}

/** @param[in] array NULL to print a line instead. */
static struct error *build_one(const struct command_context *context,
			       const struct catalog *catalog,
			       const struct catalog_arch *arch,
			       const char *pattern, json_t *array)
{
	struct error *err;

	const struct module_options *options = context->options;
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_module_ struct module module = MODULE_INIT;

	err = command_kernel(context, catalog, arch, pattern, &kernel);
	if (err)
		return err;

	uint64_t start_ms = monotonic_ms();

	err = command_module(context, catalog, arch, &kernel, options->source,
			     &module);
	if (err)
		return err;
	if (!array) {
		puts(module.path);
		return NULL;
	}
	if (json_array_append_new(
		    array,
		    json_pack("{s:s, s:s, s:o, s:s, s:f}", "kernel",
			      kernel.release, "arch", arch->name, "path",
			      text_json(module.path), "state",
			      module.cached ? "cached" : "built", "seconds",
			      (double)(monotonic_ms() - start_ms) / 1000)) < 0)
		memory_exhausted();
	return NULL;
}

static struct error *build_all(const struct command_context *context,
			       json_t *array, int *status_ret)
{
	struct error *err;

	const struct string_list *kernels = &context->common->kernels;
	_cleanup_catalog_ struct catalog *catalog = NULL;
	_cleanup_arch_list_ struct arch_list archs = { 0 };

	if (!kernels->count)
		return error_create(ERROR_USAGE,
				    "module: say for which kernels with --kernel");
	err = command_load_catalog(context, &catalog);
	if (err)
		return err;
	err = command_archs(context, catalog, &archs);
	if (err)
		return err;

	size_t count = archs.count * kernels->count;

	for (size_t i = 0; i < count; i++) {
		err = build_one(context, catalog, archs.items[i / kernels->count],
				kernels->items[i % kernels->count], array);
		// Other kernels may do where this one does not.
		if (err && (i + 1 == count || error_is(err, ERROR_CANCELLED) ||
			    error_is(err, ERROR_USAGE)))
			return err;
		if (err) {
			log_error("%s", error_message(err));
			error_destroy(err);
			*status_ret = 1;
		}
	}
	return NULL;
}

struct error *cmd_module(const struct command_context *context, int *status_ret)
{
	struct error *err;

	json_t *array = context->common->json ? json_array() : NULL;
	bool failed = false;

	err = build_all(context, array, status_ret);
	if (array && !err) {
		failed = json_dumpf(array, stdout,
				    JSON_INDENT(2) | JSON_REAL_PRECISION(4)) < 0;
		putchar('\n');
	}
	json_decref(array);
	if (!err && failed)
		memory_exhausted();
	return err;
}
