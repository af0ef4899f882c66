// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <jansson.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "common/store/store.h"
#include "vm/kernel/kernel.h"

/** A kernel that is on disk, in the store, or both. */
struct row {
	struct release release;
	const char *arch;
	char *path;
	const struct asset *asset;
};

struct listing {
	struct row *items;
	size_t count;
};

static void listing_deinit(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->items[i].path);
	free(listing->items);
}

/** The kernel's row, which is made if there is none. */
static struct row *listing_row(struct listing *listing,
			       const struct release *release, const char *arch)
{
	for (size_t i = 0; i < listing->count; i++) {
		if (release_compare(&listing->items[i].release, release) == 0 &&
		    strcmp(listing->items[i].arch, arch) == 0)
			return &listing->items[i];
	}
	vector_add(listing) = (struct row){ .release = *release, .arch = arch };
	return &listing->items[listing->count - 1];
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->arch, y->arch);

	return order ? order : release_compare(&y->release, &x->release);
}

/** Add an architecture's kernels. */
static struct error *add_arch(struct listing *listing,
			      const struct command_context *context,
			      const struct asset_list *assets, const char *arch)
{
	struct error *err;
	const struct release_selection selection = command_selection(context);

	_cleanup_kernel_list_ struct kernel_list list = { 0 };
	err = kernel_list_load(context->directory, arch, &list);
	if (err)
		return err;
	for (size_t i = 0; i < list.count; i++) {
		const struct kernel_entry *entry = &list.items[i];

		if (release_is_selected(&entry->release, arch, &selection))
			listing_row(listing, &entry->release, arch)->path =
				string_copy(entry->path);
	}
	for (size_t i = 0; i < assets->count; i++) {
		struct release release;
		char name[ARCH_SIZE];

		if (package_name_parse(assets->items[i].name, &release, name) &&
		    strcmp(name, arch) == 0 &&
		    release_is_selected(&release, arch, &selection))
			listing_row(listing, &release, arch)->asset =
				&assets->items[i];
	}
	return NULL;
}

static void add_row(struct command_context *context, const struct row *row,
		    struct table *table)
{
	uint64_t size_bytes = row->asset ? row->asset->size_bytes : 0;
	char text[RELEASE_TEXT_SIZE];

	release_format(&row->release, text);
	if (context->common->json) {
		command_row_add(context,
				json_pack("{s:s, s:s, s:s, s:o, s:o, s:I}",
					  "release", text, "arch", row->arch,
					  "flavor", row->release.flavor, "path",
					  text_json(row->path), "url",
					  text_json(row->asset ? row->asset->url
							       : NULL),
					  "size_bytes", (json_int_t)size_bytes));
		return;
	}
	table_add(table, text);
	table_add(table, row->arch);
	if (row->path)
		table_add(table, row->path);
	else
		table_addf(table, "in the store (%.1f MB)",
			   (double)size_bytes / 1e6);
}

static struct error *run(struct command_context *context)
{
	struct error *err;

	_cleanup_asset_list_ struct asset_list assets = { 0 };
	err = command_assets(context, &assets);
	// Without a network there is still the disk; unless the store is what
	// was asked for.
	if (err && (context->common->store || error_is(err, ERROR_CANCELLED)))
		return err;
	if (err) {
		log_warning("only kernels on disk: %s", error_message(err));
		error_destroy(err);
	}
	_cleanup_(listing_deinit) struct listing listing = { 0 };
	for (size_t i = 0; i < context->catalog->arch_count; i++) {
		err = add_arch(&listing, context, &assets,
			       context->catalog->archs[i].name);
		if (err)
			return err;
	}
	_cleanup_table_ struct table table = { 0 };
	for (int i = 0; i < 3; i++)
		table_add_column(&table, "", TABLE_TEXT);
	if (listing.count)
		qsort(listing.items, listing.count, sizeof(*listing.items),
		      compare_rows);
	for (size_t i = 0; i < listing.count; i++)
		add_row(context, &listing.items[i], &table);
	table_print(&table);
	return command_rows_print(context);
}

const struct command vm_list_command = {
	.name = "list",
	.summary = "show kernels on disk and in the store",
	.needs = COMMAND_CATALOG | COMMAND_DIRECTORY,
	.run = run,
};
