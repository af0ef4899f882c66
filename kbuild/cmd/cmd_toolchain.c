// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/cmd.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/toolchain.h"
#include "common/kernel/version.h"

static const char *const verdicts[] = {
	[TOOLCHAIN_CHOSEN] = "taken",	 [TOOLCHAIN_UNNEEDED] = "not needed",
	[TOOLCHAIN_MISSING] = "missing", [TOOLCHAIN_TOO_OLD] = "too old",
	[TOOLCHAIN_TOO_NEW] = "too new",
};

/** What a run of the command works with. */
struct work {
	const struct catalog *catalog;
	const char *directory;
	/** Of the command line; NULL for none. */
	const struct kernel_version *version;
	/** NULL to print text. */
	json_t *array;
	/** For some kernels there is no compiler. */
	bool some_lack;
};

static bool is_present(const struct compiler *compiler)
{
	return compiler->directory ? directory_exists(compiler->directory)
				   : compiler->version != NULL;
}

/** Append what the choice is about: ` 6.12.117`, or a range. */
static void append_kernels(const struct work *work,
			   const struct toolchain *toolchain,
			   struct string_builder *sb)
{
	char text[KERNEL_VERSION_TEXT_SIZE];

	if (!work->version) {
		version_range_append(&toolchain->rule->kernels, sb);
		return;
	}
	kernel_version_format(work->version, text);
	string_builder_appendf(sb, " %s", text);
}

static void append_candidate(const struct toolchain_candidate *candidate,
			     struct string_builder *sb)
{
	const struct compiler *compiler = &candidate->compiler;

	string_builder_appendf(sb, "  %-11s", verdicts[candidate->verdict]);
	if (compiler->url)
		string_builder_appendf(sb, "kernel.org's GCC %s, %s %s\n",
				       compiler->version,
				       is_present(compiler)
					       ? "downloaded from"
					       : "to be downloaded from",
				       compiler->url);
	else
		string_builder_appendf(sb, "%s %s\n", compiler->program,
				       compiler->version ? compiler->version
							 : "");
}

static struct error *print_text(const struct work *work,
				const struct toolchain *toolchain,
				const char *package)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	string_builder_append(&sb, "Linux");
	append_kernels(work, toolchain, &sb);
	string_builder_appendf(&sb, " for %s: GCC", toolchain->arch->name);
	version_range_append(&toolchain->rule->gcc, &sb);
	string_builder_appendf(&sb, " (%s)\n", toolchain->rule->reason);
	for (size_t i = 0; i < toolchain->count; i++)
		append_candidate(&toolchain->candidates[i], &sb);
	if (!toolchain->chosen)
		string_builder_appendf(&sb,
				       "  none will do: install the package %s%s\n",
				       package,
				       toolchain->candidates[0].compiler.version
					       ? "-N"
					       : "");
	_cleanup_free_ char *text = string_builder_take(&sb);
	fputs(text, stdout);
	return NULL;
}

static json_t *range_json(const struct version_range *range)
{
	char min[KERNEL_VERSION_TEXT_SIZE], below[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format(&range->min, min);
	kernel_version_format(&range->below, below);
	return json_pack("{s:s?, s:s?}", "min", range->has_min ? min : NULL,
			 "below", range->has_below ? below : NULL);
}

static json_t *candidate_json(const struct toolchain_candidate *candidate)
{
	const struct compiler *compiler = &candidate->compiler;

	return json_pack("{s:o, s:s?, s:s, s:b, s:s?}", "program",
			 text_json(compiler->program), "version",
			 compiler->version, "verdict",
			 verdicts[candidate->verdict], "present",
			 is_present(compiler), "url", compiler->url);
}

static struct error *add_json(const struct work *work,
			      const struct toolchain *toolchain,
			      const char *package)
{
	char version[KERNEL_VERSION_TEXT_SIZE];
	const struct catalog_compiler *rule = toolchain->rule;
	json_t *candidates = json_array();

	if (work->version)
		kernel_version_format(work->version, version);
	for (size_t i = 0; i < toolchain->count; i++) {
		json_array_append_new(candidates,
				      candidate_json(&toolchain->candidates[i]));
	}
	json_t *row =
		json_pack("{s:s?, s:o, s:s, s:o, s:s, s:o, s:s, s:o}",
			  "version", work->version ? version : NULL, "kernels",
			  range_json(&rule->kernels), "arch",
			  toolchain->arch->name, "gcc", range_json(&rule->gcc),
			  "reason", rule->reason, "chosen",
			  text_json(toolchain->chosen ? toolchain->chosen->program
						      : NULL),
			  "package", package, "candidates", candidates);
	json_array_append_new(work->array, row);
	return NULL;
}

static struct error *show(struct work *work, const struct catalog_arch *arch,
			  const struct catalog_compiler *rule)
{
	struct error *err;
	const struct toolchain_request request = {
		.catalog = work->catalog,
		.arch = arch,
		.rule = rule,
		.cache_directory = work->directory,
	};

	_cleanup_toolchain_ struct toolchain toolchain = { 0 };
	err = toolchain_find(&request, &toolchain);
	if (err)
		return err;
	if (!toolchain.chosen)
		work->some_lack = true;
	_cleanup_free_ char *package = NULL;
	err = toolchain_format_package(&toolchain, &package);
	if (err)
		return err;
	return work->array ? add_json(work, &toolchain, package)
			   : print_text(work, &toolchain, package);
}

/** Whether the architecture has kernels that the rule is for. */
static bool is_for_arch(const struct catalog_compiler *rule,
			const struct catalog_arch *arch)
{
	return !rule->kernels.has_below || !arch->versions.has_min ||
	       kernel_version_compare(&arch->versions.min,
				      &rule->kernels.below) < 0;
}

static struct error *show_arch(struct work *work, const struct catalog_arch *arch)
{
	struct error *err = NULL;
	const struct catalog *catalog = work->catalog;
	const struct catalog_compiler *rule;

	if (work->version) {
		err = catalog_find_compiler(catalog, work->version, &rule);
		return err ? err : show(work, arch, rule);
	}
	for (size_t i = 0; !err && i < catalog->compiler_count; i++) {
		if (is_for_arch(&catalog->compilers[i], arch))
			err = show(work, arch, &catalog->compilers[i]);
	}
	return err;
}

static struct error *show_all(struct work *work, const struct string_list *archs)
{
	struct error *err;
	const struct catalog_arch *arch;

	if (!archs->count) {
		err = catalog_host_arch(work->catalog, &arch);
		return err ? err : show_arch(work, arch);
	}
	for (size_t i = 0; i < archs->count; i++) {
		err = catalog_find_arch(work->catalog, archs->items[i], &arch);
		if (!err)
			err = show_arch(work, arch);
		if (err)
			return err;
	}
	return NULL;
}

struct error *cmd_toolchain(const struct command_context *context, int *status_ret)
{
	struct error *err;

	if (context->argument_count > 1)
		return error_create(ERROR_USAGE, "name one version at most");
	struct kernel_version version;
	if (context->argument_count &&
	    !kernel_version_parse(context->arguments[0], &version))
		return error_create(ERROR_USAGE, "'%s' is no kernel version",
				    context->arguments[0]);
	_cleanup_catalog_ struct catalog *catalog = NULL;
	err = command_load_catalog(context, &catalog);
	if (err)
		return err;
	_cleanup_free_ char *directory = NULL;
	err = command_directory(context, &directory);
	if (err)
		return err;
	struct work work = {
		.catalog = catalog,
		.directory = directory,
		.version = context->argument_count ? &version : NULL,
		.array = context->common->json ? json_array() : NULL,
	};
	if (context->common->json && !work.array)
		memory_exhausted();
	err = show_all(&work, &context->common->archs);
	if (!err && work.array &&
	    (json_dumpf(work.array, stdout, JSON_INDENT(2)) < 0 ||
	     putchar('\n') == EOF))
		err = error_create_os(errno, "write JSON");
	json_decref(work.array);
	if (!err && work.some_lack)
		*status_ret = 1;
	return err;
}
