// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bot/build/build.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "common/store/store.h"

enum {
	/** Of the newest versions' links; the others are not linked. */
	LINKS_BYTES_MAX = STORE_PAGE_MAX / 3,
	/** Of the table of what failed; the others are not shown. */
	FAILURES_BYTES_MAX = STORE_PAGE_MAX / 8,
};

/** Newest series first, then by architecture: what has a row of its own. */
static int compare_rows(const struct inventory_item *x,
			const struct inventory_item *y)
{
	int order = kernel_version_compare_series(&y->release.version,
						  &x->release.version);

	return order ? order : strcmp(x->arch, y->arch);
}

/** Of a row, the newest release first. */
static int compare_entries(const void *a, const void *b)
{
	const struct inventory_item *x = a, *y = b;
	int order = compare_rows(x, y);

	return order ? order : release_compare(&y->release, &x->release);
}

/**
 * Append a link's target: a path may have characters that would end it, or the
 * table's cell.
 */
static void append_target(struct string_builder *sb, const char *url)
{
	for (const char *p = url; *p; p++) {
		if ((unsigned char)*p < ' ' || strchr("<>|\\`", *p))
			string_builder_appendf(sb, "%%%02X", (unsigned char)*p);
		else
			string_builder_append_char(sb, *p);
	}
}

/** Add who signed a kernel's source to a list, unless he is in it. */
static void list_signer(struct string_builder *list, const struct asset *asset)
{
	_cleanup_free_ char *signer = asset_label_signer(asset);

	if (signer && !(list->text && strstr(list->text, signer)))
		string_builder_appendf(list, "%s%s", list->length ? ", " : "",
				       signer);
}

/**
 * Add the newest of a flavor, if the row has it.
 *
 * @param[in,out] room_bytes What is left for links.
 * @param[in,out] signers Of the row.
 */
static void add_cell(struct table *table, const struct inventory_item *entry,
		     const struct inventory_item *end, const char *flavor,
		     size_t *room_bytes, struct string_builder *signers)
{
	while (entry < end && strcmp(entry->release.flavor, flavor) != 0)
		entry++;
	if (entry == end) {
		table_add(table, NULL);
		return;
	}
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	const struct asset *asset = entry->asset;
	const char *lost = asset_label_lost(asset);
	size_t url_bytes = asset->url ? strlen(asset->url) : 0;
	char version[KERNEL_VERSION_TEXT_SIZE], date[16] = "";
	time_t created = (time_t)asset->created;
	struct tm tm;

	kernel_version_format(&entry->release.version, version);
	if (gmtime_r(&created, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	if (url_bytes && url_bytes <= *room_bytes) {
		string_builder_appendf(&sb, "[%s](<", version);
		append_target(&sb, asset->url);
		string_builder_append(&sb, ">)");
		*room_bytes -= url_bytes;
	} else {
		string_builder_append(&sb, version);
	}
	string_builder_appendf(&sb, ", %.1f MB, %s%s",
			       (double)asset->size_bytes / 1e6, date,
			       *lost ? ", " : "");
	string_builder_append_markdown(&sb, lost);
	table_add(table, sb.text);
	list_signer(signers, asset);
}

/** What failed, and when it is tried again; nothing if nothing has. */
static void append_failures(struct string_builder *sb,
			    const struct failure_list *failures)
{
	_cleanup_table_ struct table table = { 0 };

	table_add_column(&table, "Kernel", TABLE_TEXT);
	table_add_column(&table, "Architecture", TABLE_TEXT);
	table_add_column(&table, "Failed", TABLE_TEXT);
	table_add_column(&table, "Times", TABLE_NUMBER);
	table_add_column(&table, "Not tried again before", TABLE_TEXT);
	for (size_t i = 0; i < failures->count; i++) {
		const struct failure *failure = &failures->items[i];
		char text[RELEASE_TEXT_SIZE];

		release_format(&failure->release, text);
		table_add(&table, text);
		table_add(&table, failure->arch);
		table_add(&table, failure->failed);
		table_addf(&table, "%u", failure->count);
		table_add(&table, failure->not_before);
	}
	if (!failures->count)
		return;
	string_builder_append(sb, "These kernels failed, and are missing:\n\n");
	table_append_markdown(sb, &table, sb->length + FAILURES_BYTES_MAX);
	string_builder_append_char(sb, '\n');
}

static const char success_line[] = "Last successful run: ";

void page_read_success(const char *page, char day_ret[static DAY_SIZE])
{
	const char *line = page ? strstr(page, success_line) : NULL;

	day_ret[0] = '\0';
	if (line)
		line += strlen(success_line);
	if (line && strspn(line, "0123456789-") >= DAY_SIZE - 1)
		snprintf(day_ret, DAY_SIZE, "%s", line);
}

char *page_format(const struct catalog *catalog, const struct asset_list *assets,
		  const struct failure_list *failures, const char *succeeded,
		  const char *store_name)
{
	_cleanup_table_ struct table table = {
		.left_out = "Older series are among the assets below.",
	};
	table_add_column(&table, "Series", TABLE_TEXT);
	table_add_column(&table, "Architecture", TABLE_TEXT);
	for (size_t i = 0; i < catalog->flavor_count; i++)
		table_add_column(&table, catalog->flavors[i].name,
				 TABLE_MARKDOWN);
	table_add_column(&table, "Source signed by", TABLE_TEXT);
	_cleanup_inventory_ struct inventory inventory = { 0 };
	inventory_read(assets, &inventory);
	if (inventory.count)
		qsort(inventory.items, inventory.count,
		      sizeof(*inventory.items), compare_entries);
	const struct inventory_item *entry = inventory.items;
	const struct inventory_item *end = entry + inventory.count;
	size_t room_bytes = LINKS_BYTES_MAX;
	while (entry < end) {
		const struct inventory_item *row = entry;
		char series[KERNEL_VERSION_TEXT_SIZE];

		while (entry < end && compare_rows(entry, row) == 0)
			entry++;
		kernel_version_format_series(&row->release.version, series);
		table_add(&table, series);
		table_add(&table, row->arch);
		_cleanup_string_builder_ struct string_builder signers = { 0 };
		for (size_t i = 0; i < catalog->flavor_count; i++)
			add_cell(&table, row, entry, catalog->flavors[i].name,
				 &room_bytes, &signers);
		table_add(&table, signers.text);
	}
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	failures_append(&sb, failures);
	string_builder_append(
		&sb,
		"Linux kernels for testing, built by vmtest-bot. Run a command under one of them:\n\n```sh\nvmtest-vm run --store ");
	// What would end the block is not shown.
	string_builder_append_shell(&sb, strpbrk(store_name, "`\r\n")
						 ? "STORE"
						 : store_name);
	string_builder_append(&sb, " -k 'PATTERN' -- uname -r\n```\n\n");
	if (*succeeded)
		string_builder_appendf(&sb, "%s%s.\n\n", success_line, succeeded);
	plan_append_bounds(&sb, catalog);
	append_failures(&sb, failures);
	table_append_markdown(&sb, &table, STORE_PAGE_MAX);
	return string_builder_take(&sb);
}
