// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"

/** What the plan was made of. */
struct context {
	const struct catalog *catalog;
	const struct series_list *kernels;
	const struct plan *plan;
	struct inventory inventory;
};

static int compare_versions(const void *a, const void *b)
{
	return kernel_version_compare(b, a);
}

static bool is_planned(const struct plan *plan, const struct release *release,
		       const struct catalog_arch *arch)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];

		if (item->arch == arch &&
		    kernel_version_compare(&item->release.version,
					   &release->version) == 0 &&
		    strcmp(item->release.flavor, release->flavor) == 0)
			return true;
	}
	return false;
}

/** Add the flavors that an architecture lacks of a version. */
static void add_missing(struct table *table, const struct context *context,
			const struct kernel_version *version,
			const struct catalog_arch *arch)
{
	const struct catalog *catalog = context->catalog;
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	size_t built = 0, missing = 0, planned_count = 0;

	for (size_t i = 0; i < catalog->flavor_count; i++) {
		const struct catalog_flavor *flavor = &catalog->flavors[i];
		struct release release;
		unsigned int patch;

		if (!catalog_flavor_is_for(flavor, arch, version))
			continue;
		built++;
		catalog_release(catalog, version, flavor, 0, &release);
		bool planned = is_planned(context->plan, &release, arch);
		if (!planned && (!arch->enabled ||
				 inventory_has(&context->inventory, &release,
					       arch->name, &patch)))
			continue;
		missing++;
		planned_count += planned;
		string_builder_append(&sb, sb.length ? ", " : "");
		string_builder_append(&sb, planned ? "**" : "");
		string_builder_append_markdown(&sb, flavor->name);
		string_builder_append(&sb, planned ? "**" : "");
	}
	// Six lists of all flavors are wider than a page.
	bool is_all = missing > 1 && missing == built;
	table_add(table, is_all && planned_count == built ? "**all**"
			 : is_all && !planned_count	  ? "all"
			 : sb.length			  ? sb.text
			 : built && arch->enabled	  ? "✓"
							  : "–");
}

/** Add the newest version of a series in the store, and how many it has. */
static void add_stored(struct table *table, const struct inventory *inventory,
		       const struct kernel_version *series)
{
	const struct kernel_version *newest = NULL;
	char text[KERNEL_VERSION_TEXT_SIZE];
	size_t count = 0;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct kernel_version *version =
			&inventory->items[i].release.version;

		if (kernel_version_compare_series(version, series) != 0)
			continue;
		count++;
		if (!newest || kernel_version_compare(version, newest) > 0)
			newest = version;
	}
	if (!newest) {
		table_add(table, NULL);
		return;
	}
	kernel_version_format(newest, text);
	table_addf(table, "%s (%zu package%s)", text, count,
		   count == 1 ? "" : "s");
}

static void add_row(struct table *table, const struct context *context,
		    const struct kernel_version *series)
{
	const struct series_list *kernels = context->kernels;
	// Not there if kernel.org does not have it, or the catalog not keep it.
	const struct kernel_version *newest = NULL;
	char text[KERNEL_VERSION_TEXT_SIZE];

	for (size_t i = 0; i < kernels->count && !newest; i++) {
		if (kernel_version_compare_series(&kernels->items[i].version,
						  series) == 0)
			newest = &kernels->items[i].version;
	}
	kernel_version_format_series(series, text);
	table_add(table, text);
	if (newest)
		kernel_version_format(newest, text);
	table_add(table, newest ? text : "–");
	add_stored(table, &context->inventory, series);
	for (size_t i = 0; i < context->catalog->arch_count; i++) {
		if (newest)
			add_missing(table, context, newest,
				    &context->catalog->archs[i]);
		else
			table_add(table, NULL);
	}
}

static void append_head(struct string_builder *sb,
			const struct context *context, const char *store_name)
{
	const struct plan *plan = context->plan;
	size_t stored = context->inventory.count;

	if (plan->count)
		string_builder_appendf(sb, "### %zu kernel%s to build\n\n",
				       plan->count, plan->count == 1 ? "" : "s");
	else
		string_builder_append(sb, "### Nothing to build\n\n");
	string_builder_appendf(sb,
			       "kernel.org has %zu series that we keep; the store ",
			       context->kernels->count);
	markdown_append_code(sb, store_name);
	string_builder_appendf(sb, " has %zu package%s.", stored,
			       stored == 1 ? "" : "s");
	if (plan->left_out)
		string_builder_appendf(
			sb,
			" **%zu more kernels are left for the next run**: this one builds the newest %zu.",
			plan->left_out, plan->count);
	string_builder_append(
		sb,
		"\n\nUnder each architecture are the flavors that the store lacks: those in **bold** are built by this run. all: it has none; ✓: it lacks none; –: none is built.\n\n");
}

void plan_append_bounds(struct string_builder *sb, const struct catalog *catalog)
{
	_cleanup_string_list_ struct string_list limits = { 0 };

	catalog_list_limits(catalog, &limits);
	for (size_t i = 0; i < limits.count; i++) {
		string_builder_append(sb, "* ");
		string_builder_append_markdown(sb, limits.items[i]);
		string_builder_append_char(sb, '\n');
	}
	string_builder_append(sb, limits.count ? "\n" : "");
}

char *plan_summary_format(const struct catalog *catalog,
			  const struct series_list *kernels,
			  const struct asset_list *assets,
			  const struct plan *plan, const char *store_name,
			  size_t limit_bytes)
{
	struct context context = { catalog, kernels, plan, { 0 } };
	inventory_read(assets, &context.inventory);
	_cleanup_table_ struct table table = { 0 };
	table_add_column(&table, "Series", TABLE_TEXT);
	table_add_column(&table, "kernel.org", TABLE_TEXT);
	table_add_column(&table, "In the store", TABLE_MARKDOWN);
	for (size_t i = 0; i < catalog->arch_count; i++)
		table_add_column(&table, catalog->archs[i].name, TABLE_MARKDOWN);
	size_t count = kernels->count + context.inventory.count;
	_cleanup_free_ struct kernel_version *versions =
		memory_allocate(count, sizeof(*versions));
	for (size_t i = 0; i < kernels->count; i++)
		versions[i] = kernels->items[i].version;
	for (size_t i = kernels->count; i < count; i++)
		versions[i] =
			context.inventory.items[i - kernels->count].release.version;
	qsort(versions, count, sizeof(*versions), compare_versions);
	for (size_t i = 0; i < count; i++) {
		if (!i || kernel_version_compare_series(&versions[i - 1],
							&versions[i]) != 0)
			add_row(&table, &context, &versions[i]);
	}
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	append_head(&sb, &context, store_name);
	plan_append_bounds(&sb, catalog);
	table_append_markdown(&sb, &table, limit_bytes);
	inventory_deinit(&context.inventory);
	return string_builder_take(&sb);
}
