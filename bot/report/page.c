// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bot/build/build.h"
#include "bot/plan/plan.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "common/store/store.h"

enum {
	/** Of the newest versions' links; the others are not linked. */
	LINKS_BYTES_MAX = STORE_PAGE_MAX / 2,
};

/** Newest series first, then architecture, flavor, newest release. */
static int compare_entries(const void *a, const void *b)
{
	const struct inventory_item *x = a, *y = b;
	int order = kernel_version_compare_series(&y->release.version,
						  &x->release.version);

	if (!order)
		order = strcmp(x->arch, y->arch);
	if (!order)
		order = strcmp(x->release.flavor, y->release.flavor);
	return order ? order : release_compare(&y->release, &x->release);
}

static bool same_row(const struct inventory_item *a,
		     const struct inventory_item *b)
{
	return kernel_version_compare_series(&a->release.version,
					     &b->release.version) == 0 &&
	       strcmp(a->arch, b->arch) == 0;
}

/** @param[in,out] room_bytes What is left for links. */
static void add_cell(struct table *table, const struct inventory_item *entry,
		     size_t *room_bytes)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	const struct asset *asset = entry->asset;
	const char *lost = lost_options_of_asset(asset);
	size_t url_bytes = asset->url ? strlen(asset->url) : 0;
	char version[KERNEL_VERSION_TEXT_SIZE], date[16] = "";
	time_t created = (time_t)asset->created;
	struct tm tm;

	kernel_version_format(&entry->release.version, version);
	if (gmtime_r(&created, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	if (url_bytes && url_bytes <= *room_bytes) {
		string_builder_appendf(&sb, "[%s](<%s>)", version, asset->url);
		*room_bytes -= url_bytes;
	} else {
		string_builder_append(&sb, version);
	}
	string_builder_appendf(&sb, ", %.1f MB, %s%s",
			       (double)asset->size_bytes / 1e6, date,
			       *lost ? ", " : "");
	string_builder_append_markdown(&sb, lost);
	table_add(table, sb.text);
}

/** @return How many entries belong to the row. */
static size_t add_row(struct table *table, const struct catalog *catalog,
		      const struct inventory_item *entries, size_t count,
		      size_t *room_bytes)
{
	char series[KERNEL_VERSION_TEXT_SIZE];
	size_t row_count = 1;

	while (row_count < count && same_row(&entries[0], &entries[row_count]))
		row_count++;
	kernel_version_format_series(&entries[0].release.version, series);
	table_add(table, series);
	table_add(table, entries[0].arch);
	for (size_t i = 0; i < catalog->flavor_count; i++) {
		size_t j = 0;

		while (j < row_count && strcmp(entries[j].release.flavor,
					       catalog->flavors[i].name) != 0)
			j++;
		if (j < row_count)
			add_cell(table, &entries[j], room_bytes);
		else
			table_add(table, NULL);
	}
	return row_count;
}

char *page_format(const struct catalog *catalog,
		  const struct asset_list *assets, const char *store_name)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_table_ struct table table = {
		.left_out = "Older series are among the assets below.",
	};
	_cleanup_inventory_ struct inventory inventory = { 0 };
	size_t room_bytes = LINKS_BYTES_MAX;

	inventory_read(assets, &inventory);
	if (inventory.count)
		qsort(inventory.items, inventory.count,
		      sizeof(*inventory.items), compare_entries);
	table_add_column(&table, "Series", TABLE_TEXT);
	table_add_column(&table, "Architecture", TABLE_TEXT);
	for (size_t i = 0; i < catalog->flavor_count; i++)
		table_add_column(&table, catalog->flavors[i].name,
				 TABLE_MARKDOWN);
	for (size_t i = 0; i < inventory.count;)
		i += add_row(&table, catalog, &inventory.items[i],
			     inventory.count - i, &room_bytes);
	string_builder_append(
		&sb,
		"Linux kernels for testing, built by vmtest-bot. Run a command under one of them:\n\n```sh\nvmtest-vm run --store ");
	string_builder_append_shell(&sb, store_name);
	string_builder_append(&sb, " -k 'PATTERN' -- uname -r\n```\n\n");
	table_append_markdown(&sb, &table, STORE_PAGE_MAX);
	return string_builder_take(&sb);
}
