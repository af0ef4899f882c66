// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/kbuild_commands.h"

#include <jansson.h>
#include <stdio.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/kernel/release.h"

static const char *const verdicts[] = {
	[TOOLCHAIN_CHOSEN] = "taken",	 [TOOLCHAIN_UNNEEDED] = "not needed",
	[TOOLCHAIN_MISSING] = "missing", [TOOLCHAIN_TOO_OLD] = "too old",
	[TOOLCHAIN_TOO_NEW] = "too new",
};

static bool is_present(const struct compiler *compiler)
{
	return compiler->directory ? directory_exists(compiler->directory)
				   : compiler->version != NULL;
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

/** @param[in] version Of the command line; "" for a range. */
static void print_text(const struct toolchain *toolchain, const char *version,
		       const char *package)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	string_builder_append(&sb, "Linux");
	if (*version)
		string_builder_appendf(&sb, " %s", version);
	else
		version_range_append(&toolchain->rule->kernels, &sb);
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
	fputs(sb.text, stdout);
}

static json_t *range_json(const struct version_range *range)
{
	char min[KERNEL_VERSION_TEXT_SIZE], below[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format(&range->min, min);
	kernel_version_format(&range->below, below);
	return json_pack("{s:s?, s:s?}", "min", range->min.major ? min : NULL,
			 "below", range->below.major ? below : NULL);
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

static json_t *toolchain_json(const struct toolchain *toolchain,
			      const char *version, const char *package)
{
	const struct catalog_compiler *rule = toolchain->rule;
	const struct compiler *chosen = toolchain->chosen;
	json_t *candidates = json_array();

	for (size_t i = 0; i < toolchain->count; i++)
		json_array_append_new(candidates,
				      candidate_json(&toolchain->candidates[i]));
	return json_pack("{s:s?, s:o, s:s, s:o, s:s, s:o, s:s, s:o}", "version",
			 *version ? version : NULL, "kernels",
			 range_json(&rule->kernels), "arch",
			 toolchain->arch->name, "gcc", range_json(&rule->gcc),
			 "reason", rule->reason, "chosen",
			 text_json(chosen ? chosen->program : NULL), "package",
			 package, "candidates", candidates);
}

static struct error *show(struct command_context *context,
			  const struct catalog_arch *arch,
			  const struct catalog_compiler *rule,
			  const char *version)
{
	struct error *err;

	_cleanup_toolchain_ struct toolchain toolchain = { 0 };
	err = toolchain_find(context->catalog, arch, rule, context->directory,
			     &toolchain);
	if (err)
		return err;
	if (!toolchain.chosen)
		context->status = 1;
	_cleanup_free_ char *package = toolchain_package(&toolchain);
	if (context->common->json)
		command_row_add(context,
				toolchain_json(&toolchain, version, package));
	else
		print_text(&toolchain, version, package);
	return NULL;
}

/** Whether the architecture has kernels that the rule is for. */
static bool is_for_arch(const struct catalog_compiler *rule,
			const struct catalog_arch *arch)
{
	return !rule->kernels.below.major ||
	       kernel_version_compare(&arch->versions.min,
				      &rule->kernels.below) < 0;
}

/** @param[in] version NULL for all that it may have. */
static struct error *show_arch(struct command_context *context,
			       const struct catalog_arch *arch,
			       const struct kernel_version *version)
{
	struct error *err;
	const struct catalog *catalog = context->catalog;

	if (version) {
		char text[KERNEL_VERSION_TEXT_SIZE];
		const struct catalog_compiler *rule;

		kernel_version_format(version, text);
		err = catalog_find_compiler(catalog, version, &rule);
		return err ? err : show(context, arch, rule, text);
	}
	for (size_t i = 0; i < catalog->compiler_count; i++) {
		if (!is_for_arch(&catalog->compilers[i], arch))
			continue;
		err = show(context, arch, &catalog->compilers[i], "");
		if (err)
			return err;
	}
	return NULL;
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	struct string_list *archs = &context->common->archs;
	const char *text = context->arguments[0];

	if (context->argument_count > 1)
		return error_create(ERROR_USAGE, "name one version at most");
	struct kernel_version version;
	if (text) {
		err = parse_version(text, &version);
		if (err)
			return err;
	}
	size_t count = archs->count ? archs->count : 1;
	for (size_t i = 0; i < count; i++) {
		const struct catalog_arch *arch;

		err = archs->count ? catalog_find_arch(context->catalog,
						       archs->items[i], &arch)
				   : catalog_host_arch(context->catalog, &arch);
		if (err)
			return err;
		err = show_arch(context, arch, text ? &version : NULL);
		if (err)
			return err;
	}
	return command_rows_print(context);
}

const struct command kbuild_toolchain_command = {
	.name = "toolchain",
	.arguments = "[VERSION]",
	.summary = "show which compiler builds a version, or each series",
	.details =
		"The catalog says which versions of GCC build which series. The first of\n"
		"these that is of such a version is taken: the machine's own gcc for its own\n"
		"architecture, else the distribution's cross compiler; the same with a version\n"
		"in its name, such as gcc-9; and kernel.org's, which is downloaded when it is\n"
		"needed, checked and kept. The exit status is 1 if there is none.",
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY,
	.run = run,
};
