// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "vm/kernel/kernel.h"
#include "vm/module/module.h"
#include "vm/suite/suite.h"

struct vm_prune_options {
	unsigned int keep;
	struct cache_limits limits;
	uint64_t older_than;
	bool dry_run;
};

#define INTO(type, field) OPTION_INTO(type, struct vm_prune_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 0, "keep", "N", "kernels to keep of each series and flavor (default 1, or all where there is another limit)", INTO(OPTION_NUMBER, keep), .otherwise = 1 },
	{ 0, "cache-size", "SIZE", "delete what was not used for longest until all is at most SIZE, such as 20G", INTO(OPTION_SIZE, limits.size_bytes) },
	{ 0, "older-than", "AGE", "delete what was not used for so long, such as 30d", INTO(OPTION_AGE, older_than) },
	{ 0, "dry-run", NULL, "only print what would be deleted", INTO(OPTION_FLAG, dry_run) },
	{ 0 },
};
// clang-format on

/** What there is in --directory. */
static const struct cache_kind kinds[] = {
	{ "kernels", "*", "kernel-*" },	 { "modules", "*/module/*/*", "*" },
	{ "roots", "*", "rootfs*" },	 { "adopted", "*", "adopted-*" },
	{ "sources", "sources", "*" },	 { "compilers", "toolchains", "*" },
	{ "packages", "packages", "*" }, { "builds", "packages", ".partial.*" },
	{ "trees", "builds", "*" },	 { "bisections", "bisections", "*" },
};

/** Kernels that are superseded, with what was built for them. */
static struct error *prune_kernels(struct command_context *context,
				   struct string_list *deleted)
{
	struct error *err;
	const struct vm_prune_options *prune = context->options;
	const struct release_selection selection = command_selection(context);

	for (size_t i = 0; i < context->catalog->arch_count; i++) {
		const char *arch = context->catalog->archs[i].name;
		size_t first = deleted->count;

		err = kernel_prune(context->directory, arch, &selection,
				   prune->keep, prune->dry_run, deleted);
		if (err)
			return err;
		for (size_t j = first; j < deleted->count && !prune->dry_run;
		     j++) {
			err = module_remove_all(context->directory, arch,
						deleted->items[j]);
			if (err)
				return err;
		}
	}
	return NULL;
}

/** Say what there is of each kind. */
static void show(const char *directory, const struct cache_list *list)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	for (size_t i = 0, first = 0; i < list->count; i++) {
		struct cache_list kind = { &list->items[first], i + 1 - first };

		if (i + 1 < list->count &&
		    strcmp(list->items[i + 1].kind, list->items[i].kind) == 0)
			continue;
		string_builder_appendf(&sb, "%zu %s %.1f MB, ", kind.count,
				       list->items[i].kind,
				       (double)cache_list_size(&kind) / 1e6);
		first = i + 1;
	}
	log_info("%s: %s%.1f MB in all", directory, sb.text ? sb.text : "",
		 (double)cache_list_size(list) / 1e6);
}

static struct error *prune_trust(bool dry_run)
{
	struct error *err;
	_cleanup_string_list_ struct string_list projects = { 0 };
	_cleanup_free_ char *state =
		command_home("XDG_STATE_HOME", ".local/state");

	err = project_trust_prune(state, dry_run, &projects);
	for (size_t i = 0; i < projects.count; i++)
		log_info("no longer trusted, as it is gone or has changed: %s",
			 projects.items[i]);
	return err;
}

/** @param[out] deleted_ret Paths, also if this fails. */
static struct error *prune(struct command_context *context,
			   const struct cache_limits *limits, bool has_kernels,
			   struct cache_list *list_ret,
			   struct string_list *deleted_ret)
{
	struct error *err;
	const struct vm_prune_options *prune_options = context->options;
	bool dry_run = prune_options->dry_run;

	if (has_kernels) {
		err = prune_kernels(context, deleted_ret);
		if (err)
			return err;
	}
	if (!dry_run) {
		// A build that was killed goes on where it was.
		err = cache_clean_all(context->directory, "*", "packages");
		if (err)
			return err;
		err = cache_clean_all(context->directory, "*/module/*/*", NULL);
		if (err)
			return err;
	}
	err = cache_list_load(context->directory, kinds, array_size(kinds),
			      list_ret);
	if (err)
		return err;
	return cache_list_limit(list_ret, limits, dry_run, deleted_ret);
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct vm_prune_options *prune_options = context->options;
	struct cache_limits limits = prune_options->limits;

	limits.has_size = command_line_has(&context->line, "cache-size");
	if (command_line_has(&context->line, "older-than"))
		limits.oldest_s = (int64_t)time(NULL) -
				  (int64_t)prune_options->older_than;
	bool has_kernels = command_line_has(&context->line, "keep") ||
			   !(limits.has_size || limits.oldest_s);
	if (!has_kernels && (command_line_has(&context->line, "kernel") ||
			     command_line_has(&context->line, "arch") ||
			     command_line_has(&context->line, "flavor")))
		return error_create(
			ERROR_USAGE,
			"prune: --kernel, --arch and --flavor say which kernels --keep is about; --cache-size and --older-than are about all");
	_cleanup_cache_list_ struct cache_list list = { 0 };
	_cleanup_string_list_ struct string_list deleted = { 0 };
	err = prune(context, &limits, has_kernels, &list, &deleted);
	for (size_t i = 0; i < deleted.count; i++)
		command_row(context,
			    json_pack("{s:o}", "path",
				      text_json(deleted.items[i])),
			    "%s", deleted.items[i]);
	if (!err)
		err = prune_trust(prune_options->dry_run);
	if (err)
		return err;
	show(context->directory, &list);
	return command_rows_print(context);
}

const struct command vm_prune_command = {
	.name = "prune",
	.summary = "delete what is superseded, or kept for too long, from the disk",
	.details =
		"Without --cache-size and --older-than, kernels that newer ones supersede are\n"
		"deleted, with the modules that were built for them; --kernel, --arch and\n"
		"--flavor say of which kernels. The two limits are about all that is kept in\n"
		"--directory: kernels, modules, roots, sources, compilers, packages that are\n"
		"under way. What is in use stays. Prints the paths, and then, on stderr, what\n"
		"is left. Project files that were trusted and are gone or have changed are\n"
		"forgotten.",
	.options = { options },
	.options_size = sizeof(struct vm_prune_options),
	.common = COMMON_SELECTION | COMMON_DIRECTORY | COMMON_JSON,
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY,
	.run = run,
};
