// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <jansson.h>

#include "common/base/error.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "vm/kernel/kernel.h"

static void add_row(struct command_context *context,
		    const struct kernel_entry *entry, struct table *table)
{
	const struct asset *asset = entry->asset;
	uint64_t size_bytes = asset ? asset->size_bytes : 0;

	if (context->common->json) {
		command_row_add(context,
				json_pack("{s:s, s:s, s:s, s:o, s:o, s:I}",
					  "release", entry->text, "arch",
					  entry->arch, "flavor",
					  entry->release.flavor, "path",
					  text_json(entry->path), "url",
					  text_json(asset ? asset->url : NULL),
					  "size_bytes", (json_int_t)size_bytes));
		return;
	}
	table_add(table, entry->text);
	table_add(table, entry->arch);
	if (entry->path)
		table_add(table, entry->path);
	else
		table_addf(table, "in the store (%.1f MB)",
			   (double)size_bytes / 1e6);
}

static struct error *run(struct command_context *context)
{
	struct error *err;

	_cleanup_asset_list_ struct asset_list assets = { 0 };
	err = command_assets(context, true, &assets);
	if (err)
		return err;
	_cleanup_kernel_list_ struct kernel_list list = { 0 };
	for (size_t i = 0; i < context->catalog->arch_count; i++) {
		const char *arch = context->catalog->archs[i].name;

		err = kernel_list_add_disk(&list, context->directory, arch);
		if (err)
			return err;
		kernel_list_add_store(&list, &assets, arch);
	}
	const struct release_selection selection = command_selection(context);
	_cleanup_table_ struct table table = { 0 };
	for (int i = 0; i < 3; i++)
		table_add_column(&table, "", TABLE_TEXT);
	for (size_t i = 0; i < list.count; i++) {
		if (release_is_selected(&list.items[i].release,
					list.items[i].arch, &selection))
			add_row(context, &list.items[i], &table);
	}
	table_print(&table);
	return command_rows_print(context);
}

const struct command vm_list_command = {
	.name = "list",
	.summary = "show kernels on disk and in the store",
	.common = COMMON_SELECTION | COMMON_STORE | COMMON_DIRECTORY | COMMON_JSON,
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY,
	.run = run,
};
