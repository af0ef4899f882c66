// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/kbuild_commands.h"

#include <jansson.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/kernel/release.h"

static json_t *row_json(const struct catalog *catalog,
			const struct catalog_arch *arch,
			const struct catalog_gcc *gcc, const char *version,
			const struct compiler *compiler)
{
	char min[KERNEL_VERSION_TEXT_SIZE], below[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format(&gcc->kernels.min, min);
	kernel_version_format(&gcc->kernels.below, below);
	return json_pack(
		"{s:s?, s:{s:s?, s:s?}, s:s, s:{s:i, s:i}, s:s, s:o, s:s?, s:s?, s:b}",
		"version", version, "kernels", "min",
		gcc->kernels.min.major ? min : NULL, "below",
		gcc->kernels.below.major ? below : NULL, "arch", arch->name,
		"gcc", "oldest", (int)catalog->gcc.reference, "newest",
		(int)gcc->newest, "reason", gcc->reason, "chosen",
		text_json(compiler->program), "chosen_version",
		compiler->version, "url", compiler->url, "present",
		compiler->directory ? directory_exists(compiler->directory)
				    : compiler->program != NULL);
}

/**
 * Show which compiler is taken.
 *
 * @param[in] version Some version of the range.
 * @param[in] text The same of the command line; NULL for all of the range.
 */
static struct error *show(struct command_context *context,
			  const struct catalog_arch *arch,
			  const struct catalog_gcc *gcc,
			  const struct kernel_version *version, const char *text)
{
	struct error *err;

	_cleanup_compiler_ struct compiler compiler = { 0 };
	err = compiler_find(context->catalog, arch, version, context->directory,
			    &compiler);
	_cleanup_error_ struct error *none =
		error_is(err, ERROR_NOT_FOUND) ? take_ptr(err) : NULL;
	if (err)
		return err;
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	if (text)
		string_builder_appendf(&sb, " %s", text);
	else
		version_range_append(&gcc->kernels, &sb);
	string_builder_appendf(&sb, " for %s: ", arch->name);
	if (none) {
		context->status = 1;
		string_builder_appendf(&sb, "none; %s", error_message(none));
	} else if (compiler.url) {
		string_builder_appendf(&sb, "kernel.org's GCC %s from %s; %s",
				       compiler.version, compiler.url,
				       compiler.lacking);
	} else {
		string_builder_appendf(&sb,
				       "%s %s, of GCC %u to %u that will do (%s)",
				       compiler.program, compiler.version,
				       context->catalog->gcc.reference,
				       gcc->newest, gcc->reason);
	}
	command_row(context,
		    row_json(context->catalog, arch, gcc, text, &compiler),
		    "Linux%s", sb.text);
	return NULL;
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct catalog *catalog = context->catalog;
	const char *text = context->line.arguments[0];

	if (context->line.argument_count > 1)
		return error_create(ERROR_USAGE, "name one version at most");
	struct kernel_version version;
	const struct catalog_gcc *only = NULL;
	if (text) {
		err = parse_version(text, &version);
		if (err)
			return err;
		err = catalog_find_gcc(catalog, &version, &only);
		if (err)
			return err;
	}
	const struct string_list *archs = &context->common->archs;
	for (size_t i = 0; i < archs->count || i == 0; i++) {
		const struct catalog_arch *arch;

		err = archs->count
			      ? catalog_find_arch(catalog, archs->items[i], &arch)
			      : catalog_host_arch(catalog, &arch);
		if (err)
			return err;
		for (size_t j = 0; j < catalog->gcc.tried_count; j++) {
			const struct catalog_gcc *gcc = &catalog->gcc.tried[j];

			// A range in which the architecture has no kernels.
			bool is_void =
				gcc->kernels.below.major &&
				kernel_version_compare(&arch->versions.min,
						       &gcc->kernels.below) >= 0;
			if (only ? gcc != only : is_void)
				continue;
			err = show(context, arch, gcc,
				   only ? &version : &gcc->kernels.min, text);
			if (err)
				return err;
		}
	}
	return command_rows_print(context);
}

const struct command kbuild_toolchain_command = {
	.name = "toolchain",
	.arguments = "[VERSION]",
	.summary = "show which compiler builds a version, or each series",
	.details =
		"One version of GCC builds all series; the catalog says which, and up to which\n"
		"newer one each was tried with. Taken is the first of: the distribution's of that\n"
		"version, gcc-VERSION or CROSS-gcc-VERSION for another architecture; gcc or\n"
		"CROSS-gcc, if it is neither older nor newer than what was tried; and kernel.org's,\n"
		"which is downloaded when it is needed, checked and kept. The exit status is 1 if\n"
		"there is none.",
	.common = COMMON_ARCH | COMMON_DIRECTORY | COMMON_JSON,
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY,
	.run = run,
};
