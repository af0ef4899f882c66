// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/commands.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/error.h"
#include "common/cli/command.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "vm/kernel/kernel.h"
#include "vm/module/module.h"

// clang-format off
const struct command_option prune_option_table[] = {
	{ 0, "keep", "N", "kernels to keep of each series and flavor (default 1)", OPTION_NUMBER, offsetof(struct prune_options, keep) },
	{ 0, "dry-run", NULL, "only print what would be deleted", OPTION_FLAG, offsetof(struct prune_options, dry_run) },
	{ 0 },
};
// clang-format on

struct error *cmd_prune(const struct command_context *context, int *status_ret)
{
	struct error *err;

	const struct prune_options *options = context->options;
	struct release_selection selection;
	_cleanup_catalog_ struct catalog *catalog = NULL;
	_cleanup_free_ char *directory = NULL;
	_cleanup_string_list_ struct string_list deleted = STRING_LIST_INIT;

	(void)status_ret;
	command_selection(context, &selection);
	err = command_load_catalog(context, &catalog);
	if (err)
		return err;
	err = command_directory(context, &directory);
	if (err)
		return err;
	for (size_t i = 0; i < catalog->arch_count && !err; i++) {
		const char *arch = catalog->archs[i].name;
		size_t first = deleted.count;

		if (!selection.archs->count ||
		    string_list_contains(selection.archs, arch))
			err = kernel_prune(directory, arch, &selection,
					   options->keep ? options->keep : 1,
					   options->dry_run, &deleted);
		if (options->dry_run)
			continue;
		// With a kernel goes what was built for it.
		for (size_t j = first; j < deleted.count && !err; j++)
			err = module_remove_all(directory, arch,
						deleted.items[j]);
	}
	for (size_t i = 0; i < deleted.count; i++)
		puts(deleted.items[i]);
	return err;
}
