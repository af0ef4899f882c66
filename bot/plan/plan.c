// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan.h"

#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "bot/plan/failure.h"
#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"

void plan_deinit(struct plan *plan)
{
	free(plan->items);
	free(plan->waiting.items);
	string_list_deinit(&plan->off);
	*plan = (struct plan){ 0 };
}

/** All that exists for the architectures and flavors that are asked for. */
static void list_items(const struct catalog *catalog,
		       const struct series_list *kernels,
		       const struct plan_selection *selection, struct plan *ret)
{
	const struct string_list *archs = selection->wanted.archs;
	const struct string_list *flavors = selection->wanted.flavors;
	size_t arch_count = catalog->arch_count;

	for (size_t i = 0; i < kernels->count * arch_count; i++) {
		const struct kernel_version *version =
			&kernels->items[i / arch_count].version;
		const struct catalog_arch *arch = &catalog->archs[i % arch_count];

		if (selection->latest_stable &&
		    kernel_version_compare(version, &kernels->latest_stable) != 0)
			continue;
		if (archs->count ? !string_list_contains(archs, arch->name)
				 : !arch->enabled)
			continue;
		for (size_t j = 0; j < catalog->flavor_count; j++) {
			const struct catalog_flavor *flavor =
				&catalog->flavors[j];
			struct plan_item item = { .arch = arch };

			if (flavors->count &&
			    !string_list_contains(flavors, flavor->name))
				continue;
			// What is off is planned as far as to say so.
			if (!catalog_flavor_is_for(flavor, arch, version) &&
			    !catalog_find_off(arch, flavor->name, version))
				continue;
			catalog_release(catalog, version, flavor, 0,
					&item.release);
			release_format(&item.release, item.release_text);
			vector_add(ret) = item;
		}
	}
}

/** @return The failure that an item has to wait after; NULL for none. */
static const struct failure *find_waiting(const struct plan_selection *selection,
					  const struct plan_item *item)
{
	const struct failure *failure = NULL;

	if (selection->failures && !selection->retry && !selection->rebuild)
		failure = failures_find(selection->failures, &item->release,
					item->arch->name);
	return failure && failure_waits(failure, selection->now_s) ? failure
								   : NULL;
}

/** Whether an item is off; says once why. */
static bool is_off(const struct plan_item *item, struct string_list *said)
{
	const struct catalog_off *off =
		catalog_find_off(item->arch, item->release.flavor,
				 &item->release.version);

	if (!off)
		return false;
	_cleanup_free_ char *text = catalog_off_text(item->arch, off);
	if (!string_list_contains(said, text))
		string_list_add(said, text);
	return true;
}

/** Whether a pattern means the release; notes which ones do. */
static bool is_selected(const struct string_list *patterns, bool *used,
			const char *release)
{
	bool selected = patterns->count == 0;

	for (size_t i = 0; i < patterns->count; i++) {
		if (release_matches(release, patterns->items[i])) {
			used[i] = true;
			selected = true;
		}
	}
	return selected;
}

struct error *plan_compute(const struct catalog *catalog,
			   const struct series_list *kernels,
			   const struct asset_list *assets,
			   const struct plan_selection *selection,
			   struct plan *ret)
{
	const struct string_list *patterns = selection->wanted.kernels;

	if (selection->latest_stable && !kernels->has_latest_stable)
		return error_create(ERROR_NOT_FOUND,
				    "kernel.org names no latest stable kernel");
	_cleanup_inventory_ struct inventory inventory = { 0 };
	inventory_read(assets, &inventory);
	_cleanup_plan_ struct plan all = { 0 }, plan = { 0 };
	list_items(catalog, kernels, selection, &all);
	_cleanup_free_ bool *used =
		memory_allocate(patterns->count, sizeof(bool));
	for (size_t i = 0; i < all.count; i++) {
		struct plan_item item = all.items[i];
		const struct failure *waiting = find_waiting(selection, &item);
		unsigned int patch;

		if (!is_selected(patterns, used, item.release_text) ||
		    is_off(&item, &plan.off))
			continue;
		if (inventory_has(&inventory, &item.release, item.arch->name,
				  &patch)) {
			plan.stored++;
			if (!selection->rebuild)
				continue;
			item.release.patch = patch + 1;
			release_format(&item.release, item.release_text);
		} else if (waiting) {
			vector_add(&plan.waiting) = waiting;
			continue;
		}
		if (selection->limit && plan.count >= selection->limit)
			plan.left_out++;
		else
			vector_add(&plan) = item;
	}
	for (size_t i = 0; i < patterns->count; i++) {
		if (!used[i])
			return error_create(ERROR_USAGE,
					    "no kernel that kernel.org has and the catalog keeps matches '%s'; 'vmtest-bot poll' lists them",
					    patterns->items[i]);
	}
	*ret = take(plan);
	return NULL;
}

struct json_t *plan_release_json(const struct release *release, const char *arch)
{
	char text[RELEASE_TEXT_SIZE], version[KERNEL_VERSION_TEXT_SIZE],
		series[KERNEL_VERSION_TEXT_SIZE];

	release_format(release, text);
	kernel_version_format(&release->version, version);
	kernel_version_format_series(&release->version, series);
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "release", text,
			 "version", version, "series", series, "arch", arch,
			 "flavor", release->flavor);
}

struct json_t *plan_failure_json(const struct failure *failure)
{
	json_t *json = plan_release_json(&failure->release, failure->arch);

	json_object_update_new(json,
			       json_pack("{s:s, s:I, s:s}", "failed",
					 failure->failed, "failures",
					 (json_int_t)failure->count,
					 "not_before", failure->not_before));
	return json;
}

struct json_t *plan_json(const struct plan *plan)
{
	json_t *array = json_array();

	for (size_t i = 0; i < plan->count; i++)
		json_array_append_new(array,
				      plan_release_json(&plan->items[i].release,
							plan->items[i].arch->name));
	return array;
}

char *plan_versions_format(const struct plan *plan)
{
	json_t *array = json_array();

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];
		char text[KERNEL_VERSION_TEXT_SIZE];

		// Items are in the order of their versions.
		if (i && kernel_version_compare(&item[0].release.version,
						&item[-1].release.version) == 0)
			continue;
		kernel_version_format(&item->release.version, text);
		json_array_append_new(array, json_pack("{s:s}", "version", text));
	}
	return json_text(json_pack("{s:o}", "include", array), JSON_COMPACT);
}

char *plan_format(const struct plan *plan, bool is_matrix)
{
	json_t *json = json_pack("{s:o}", "include", plan_json(plan));

	if (!is_matrix)
		json_object_set_new(json, "left_out",
				    json_integer((json_int_t)plan->left_out));
	return json_text(json, is_matrix ? JSON_COMPACT : JSON_INDENT(2));
}

/** An item as it is written. */
struct planned {
	struct release release;
	char arch[ARCH_SIZE];
};

struct planned_list {
	struct planned *items;
	size_t count, left_out;
};

static struct error *read_planned(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		VALUE_REQUIRED("release", value_release, struct planned, release),
		VALUE_REQUIRED("arch", value_arch, struct planned, arch),
	};

	return value_read(value, rows, array_size(rows), ret);
}

struct error *plan_parse(const struct catalog *catalog, const char *text,
			 const char *name, struct plan *ret)
{
	// clang-format off
	static const struct value_row rows[] = {
		VALUE_ITEMS("include", read_planned, struct planned_list, items),
		VALUE_OPTIONAL_NUMBER("left_out", 0, INT_MAX, struct planned_list, left_out),
	};
	// clang-format on
	struct error *err;

	_cleanup_value_ struct value document = { 0 };
	err = value_parse(text, strlen(text), name, ERROR_USAGE, &document);
	if (err)
		return err;
	struct planned_list list = { 0 };
	err = value_read(&document, rows, array_size(rows), &list);
	_cleanup_free_ struct planned *planned = list.items;
	_cleanup_plan_ struct plan plan = { .left_out = list.left_out };
	for (size_t i = 0; i < list.count && !err; i++) {
		struct plan_item item = { .release = planned[i].release };

		release_format(&item.release, item.release_text);
		err = error_wrap(catalog_find_arch(catalog, planned[i].arch,
						   &item.arch),
				 "%s", name);
		vector_add(&plan) = item;
	}
	if (err)
		return err;
	*ret = take(plan);
	return NULL;
}
