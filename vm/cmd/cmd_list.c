// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/cli/command.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "common/store/store.h"
#include "vm/kernel/kernel.h"

/** A kernel that is on disk, in the store, or both. */
struct row {
	struct release release;
	char text[RELEASE_TEXT_SIZE];
	const char *arch;
	const char *path;
	const struct asset *asset;
};

struct table {
	struct row *rows;
	size_t count;
};

static void cleanup_table(struct table *table)
{
	free(table->rows);
}

static struct row *table_row(struct table *table, const char *text,
			     const char *arch)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->rows[i].text, text) == 0 &&
		    strcmp(table->rows[i].arch, arch) == 0)
			return &table->rows[i];
	}

	struct row *rows =
		reallocarray(table->rows, table->count + 1, sizeof(*rows));

	if (!rows)
		return NULL;
	table->rows = rows;
	rows[table->count] = (struct row){ .arch = arch };
	snprintf(rows[table->count].text, RELEASE_TEXT_SIZE, "%s", text);
	return &rows[table->count++];
}

static bool row_is_wanted(const struct command_context *context,
			  const struct release *release, const char *text)
{
	return release_matches_any(text, &context->common->kernels) &&
	       kernel_is_wanted(release, text, NULL, &context->common->flavors);
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a;
	const struct row *y = b;
	int order = strcmp(x->arch, y->arch);

	return order ? order : release_compare(&y->release, &x->release);
}

static void add_disk(const struct command_context *context,
		     const struct kernel_list *list, const char *arch,
		     struct table *table)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct kernel_entry *entry = &list->items[i];

		if (!row_is_wanted(context, &entry->release, entry->text))
			continue;

		struct row *row = table_row(table, entry->text, arch);

		if (!row)
			memory_exhausted();
		row->release = entry->release;
		row->path = entry->path;
	}
}

static void add_store(const struct command_context *context,
		      const struct asset_list *assets,
		      const struct catalog *catalog, struct table *table)
{
	const struct string_list *archs = &context->common->archs;

	for (size_t i = 0; i < assets->count; i++) {
		struct release release;
		char name[ARCH_SIZE];
		char text[RELEASE_TEXT_SIZE];
		const char *arch = NULL;

		if (!package_name_parse(assets->items[i].name, &release, name))
			continue;
		release_format(&release, text);
		for (size_t j = 0; j < catalog->arch_count; j++) {
			if (strcmp(catalog->archs[j].name, name) == 0)
				arch = catalog->archs[j].name;
		}
		if (!arch || !row_is_wanted(context, &release, text) ||
		    (archs->count && !string_list_contains(archs, arch)))
			continue;

		struct row *row = table_row(table, text, arch);

		if (!row)
			memory_exhausted();
		row->release = release;
		row->asset = &assets->items[i];
	}
}

static struct error *print_json(const struct table *table)
{
	json_t *array = json_array();
	bool failed = !array;

	for (size_t i = 0; i < table->count && !failed; i++) {
		const struct row *row = &table->rows[i];

		failed = json_array_append_new(
			array,
			json_pack("{s:s, s:s, s:s, s:o, s:o, s:I}", "release",
				  row->text, "arch", row->arch, "flavor",
				  row->release.flavor, "path",
				  text_json(row->path), "url",
				  text_json(row->asset ? row->asset->url : NULL),
				  "size_bytes",
				  (json_int_t)(row->asset ? row->asset->size_bytes
							  : 0)));
	}
	failed = failed || json_dumpf(array, stdout, JSON_INDENT(2)) < 0;
	json_decref(array);
	if (failed)
		memory_exhausted();
	putchar('\n');
	return NULL;
}

static void print_table(const struct table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct row *row = &table->rows[i];

		printf("%-36s %-8s %s", row->text, row->arch,
		       row->path ? row->path : "in the store");
		if (!row->path)
			printf(" (%.1f MB)",
			       (double)row->asset->size_bytes / 1e6);
		putchar('\n');
	}
}

struct error *cmd_list(const struct command_context *context, int *status_ret)
{
	struct error *err;

	const struct string_list *archs = &context->common->archs;
	_cleanup_catalog_ struct catalog *catalog = NULL;
	_cleanup_free_ char *directory = NULL;
	_cleanup_asset_list_ struct asset_list assets = { 0 };
	_cleanup_(cleanup_table) struct table table = { 0 };

	(void)status_ret;
	err = command_load_catalog(context, &catalog);
	if (err)
		return err;
	err = command_directory(context, &directory);
	if (err)
		return err;
	err = command_assets(context, catalog, &assets);
	// Without a network there is still the disk; unless the store is what
	// was asked for.
	if (err && (context->common->store || error_is(err, ERROR_CANCELLED)))
		return err;
	if (err) {
		log_warning("only kernels on disk: %s", error_message(err));
		error_destroy(err);
	}

	struct kernel_list *lists =
		memory_allocate(catalog->arch_count, sizeof(*lists));
	err = NULL;
	for (size_t i = 0; i < catalog->arch_count && !err; i++) {
		const char *arch = catalog->archs[i].name;

		if (archs->count && !string_list_contains(archs, arch))
			continue;
		err = kernel_list_load(directory, arch, &lists[i]);
		if (!err)
			add_disk(context, &lists[i], arch, &table);
	}
	if (!err)
		add_store(context, &assets, catalog, &table);
	if (!err) {
		if (table.count)
			qsort(table.rows, table.count, sizeof(*table.rows),
			      compare_rows);
		if (context->common->json)
			err = print_json(&table);
		else
			print_table(&table);
	}
	for (size_t i = 0; i < catalog->arch_count; i++)
		kernel_list_deinit(&lists[i]);
	free(lists);
	return err;
}
