// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/commands.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/string_builder.h"
#include "common/cache/cache_list.h"
#include "common/cli/command.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "vm/kernel/kernel.h"
#include "vm/module/module.h"

// clang-format off
const struct command_option prune_option_table[] = {
	{ 0, "keep", "N", "kernels to keep of each series and flavor (default 1, or all where there is another limit)", OPTION_NUMBER, offsetof(struct prune_options, keep) },
	{ 0, "cache-size", "SIZE", "delete what was not used for longest until all is at most SIZE, such as 20G", OPTION_STRING, offsetof(struct prune_options, cache_size) },
	{ 0, "older-than", "AGE", "delete what was not used for so long, such as 30d", OPTION_STRING, offsetof(struct prune_options, older_than) },
	{ 0, "dry-run", NULL, "only print what would be deleted", OPTION_FLAG, offsetof(struct prune_options, dry_run) },
	{ 0 },
};
// clang-format on

struct unit {
	char letter;
	uint64_t value;
};

static const struct unit size_units[] = {
	{ 'M', 1 << 20 }, { 'G', 1 << 30 }, { 'T', 1LL << 40 }, { 0 }
};
static const struct unit age_units[] = {
	{ 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 }, { 0 }
};

/** A number with one of the units. */
static struct error *parse_amount(const char *option, const char *text,
				  const struct unit *units, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");

	for (const struct unit *unit = units; unit->letter && digits; unit++) {
		uint64_t number = strtoul(text, NULL, 10);

		if (text[digits] == unit->letter && !text[digits + 1] &&
		    number <= INT64_MAX / unit->value) {
			*ret = number * unit->value;
			return NULL;
		}
	}
	return error_create(ERROR_USAGE,
			    "--%s %s: use a number with %c, %c or %c", option,
			    text, units[0].letter, units[1].letter,
			    units[2].letter);
}

/** @param[out] is_limited_ret Whether there is any. */
static struct error *parse_limits(const struct command_context *context,
				  struct cache_limits *limits,
				  bool *is_limited_ret)
{
	struct error *err = NULL;

	const struct prune_options *options = context->options;
	const struct common_options *common = context->common;
	uint64_t age_s;

	limits->has_size = options->cache_size;
	*is_limited_ret = options->cache_size || options->older_than;
	if (options->cache_size)
		err = parse_amount("cache-size", options->cache_size,
				   size_units, &limits->size_bytes);
	if (!err && options->older_than) {
		err = parse_amount("older-than", options->older_than, age_units,
				   &age_s);
		limits->oldest_s = err ? 0 : (int64_t)time(NULL) - (int64_t)age_s;
	}
	if (err)
		return err;
	if (*is_limited_ret && !options->keep &&
	    (common->kernels.count || common->archs.count ||
	     common->flavors.count))
		return error_create(
			ERROR_USAGE,
			"prune: --kernel, --arch and --flavor say which kernels --keep is about; --cache-size and --older-than are about all");
	return NULL;
}

/** Kernels that are superseded, with what was built for them. */
static struct error *prune_kernels(const struct command_context *context,
				   const char *directory,
				   struct string_list *deleted)
{
	struct error *err;

	const struct prune_options *options = context->options;
	struct release_selection selection;
	_cleanup_catalog_ struct catalog *catalog = NULL;

	command_selection(context, &selection);
	err = command_load_catalog(context, &catalog);
	if (err)
		return err;
	for (size_t i = 0; i < catalog->arch_count && !err; i++) {
		const char *arch = catalog->archs[i].name;
		size_t first = deleted->count;

		if (!selection.archs->count ||
		    string_list_contains(selection.archs, arch))
			err = kernel_prune(directory, arch, &selection,
					   options->keep ? options->keep : 1,
					   options->dry_run, deleted);
		if (options->dry_run)
			continue;
		for (size_t j = first; j < deleted->count && !err; j++)
			err = module_remove_all(directory, arch,
						deleted->items[j]);
	}
	return err;
}

/** Say what there is of each kind. */
static void show(const char *directory, const struct cache_list *list)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;

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
	text = string_builder_take(&sb);
	log_info("%s: %s%.1f MB in all", directory, text,
		 (double)cache_list_size(list) / 1e6);
}

struct error *cmd_prune(const struct command_context *context, int *status_ret)
{
	struct error *err;

	const struct prune_options *options = context->options;
	bool is_limited;
	struct cache_limits limits = { 0 };
	_cleanup_free_ char *directory = NULL;
	_cleanup_cache_list_ struct cache_list list = { 0 };
	_cleanup_string_list_ struct string_list deleted = STRING_LIST_INIT;

	(void)status_ret;
	err = parse_limits(context, &limits, &is_limited);
	if (!err)
		err = command_directory(context, &directory);
	if (err)
		return err;
	if (!is_limited || options->keep)
		err = prune_kernels(context, directory, &deleted);
	if (!err && !options->dry_run)
		err = cache_clean_all(directory);
	if (!err)
		err = cache_list_load(directory, &list);
	if (!err)
		err = cache_list_limit(&list, &limits, options->dry_run,
				       &deleted);
	for (size_t i = 0; i < deleted.count; i++)
		puts(deleted.items[i]);
	if (err)
		return err;
	show(directory, &list);
	return NULL;
}
