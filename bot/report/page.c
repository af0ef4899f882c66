// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bot/build/lost_options.h"
#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "common/store/store.h"

enum {
	/** Beyond this, versions are no longer links. */
	LINK_LIMIT = 100000,
	/** Beyond this, rows are left out. */
	ROW_LIMIT = STORE_PAGE_MAX - 2000,
};

struct entry {
	const struct asset *asset;
	struct release release;
	char arch[ARCH_SIZE];
};

/** Newest series first, then architecture, flavor, newest release. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = kernel_version_compare_series(&y->release.version,
						  &x->release.version);

	if (!order)
		order = strcmp(x->arch, y->arch);
	if (!order)
		order = strcmp(x->release.flavor, y->release.flavor);
	return order ? order : release_compare(&y->release, &x->release);
}

static bool same_row(const struct entry *a, const struct entry *b)
{
	return kernel_version_compare_series(&a->release.version,
					     &b->release.version) == 0 &&
	       strcmp(a->arch, b->arch) == 0;
}

static void append_cell(struct string_builder *sb, const struct entry *entry)
{
	char version[KERNEL_VERSION_TEXT_SIZE], date[16] = "";
	time_t created = (time_t)entry->asset->created;
	struct tm tm;

	kernel_version_format(&entry->release.version, version);
	if (gmtime_r(&created, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	if (entry->asset->url && sb->length < LINK_LIMIT)
		string_builder_appendf(sb, " [%s](<%s>)", version,
				       entry->asset->url);
	else
		string_builder_appendf(sb, " %s", version);
	string_builder_appendf(sb, ", %.1f MB, %s",
			       (double)entry->asset->size_bytes / 1e6, date);
	const char *lost = lost_options_of_asset(entry->asset);
	if (*lost) {
		string_builder_append(sb, ", ");
		string_builder_append_markdown(sb, lost);
	}
	string_builder_append(sb, " |");
}

/** @return How many entries belong to the row. */
static size_t append_row(struct string_builder *sb, const struct catalog *catalog,
			 const struct entry *entries, size_t count)
{
	char series[KERNEL_VERSION_TEXT_SIZE];
	size_t row_count = 1;

	while (row_count < count && same_row(&entries[0], &entries[row_count]))
		row_count++;
	kernel_version_format_series(&entries[0].release.version, series);
	string_builder_appendf(sb, "| %s | %s |", series, entries[0].arch);
	for (size_t i = 0; i < catalog->flavor_count; i++) {
		size_t j = 0;

		while (j < row_count && strcmp(entries[j].release.flavor,
					       catalog->flavors[i].name) != 0)
			j++;
		if (j < row_count)
			append_cell(sb, &entries[j]);
		else
			string_builder_append(sb, " |");
	}
	string_builder_append_char(sb, '\n');
	return row_count;
}

static void append_head(struct string_builder *sb,
			const struct catalog *catalog, const char *store_name)
{
	string_builder_append(
		sb,
		"Linux kernels for testing, built by vmtest-bot. Run a command under one of them:\n\n```sh\nvmtest-vm run --store ");
	string_builder_append_shell(sb, store_name);
	string_builder_append(
		sb,
		" -k 'PATTERN' -- uname -r\n```\n\n| Series | Architecture |");
	for (size_t i = 0; i < catalog->flavor_count; i++)
		string_builder_appendf(sb, " %s |", catalog->flavors[i].name);
	string_builder_append(sb, "\n| --- | --- |");
	for (size_t i = 0; i < catalog->flavor_count; i++)
		string_builder_append(sb, " --- |");
	string_builder_append_char(sb, '\n');
}

char *page_format(const struct catalog *catalog,
		  const struct asset_list *assets, const char *store_name)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ struct entry *entries =
		calloc(assets->count + 1, sizeof(*entries));
	size_t count = 0;

	if (!entries)
		memory_exhausted();
	for (size_t i = 0; i < assets->count; i++) {
		struct entry *entry = &entries[count];

		entry->asset = &assets->items[i];
		if (package_name_parse(entry->asset->name, &entry->release,
				       entry->arch))
			count++;
	}
	qsort(entries, count, sizeof(*entries), compare_entries);
	append_head(&sb, catalog, store_name);
	for (size_t i = 0; i < count;) {
		if (sb.length > ROW_LIMIT) {
			string_builder_append(
				&sb,
				"\nOlder series are among the assets below.\n");
			break;
		}
		i += append_row(&sb, catalog, &entries[i], count - i);
	}
	return string_builder_take(&sb);
}
