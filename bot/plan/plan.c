// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan.h"

#include <stdlib.h>

#include "bot/plan/inventory.h"
#include "bot/plan/poll.h"
#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"

void plan_deinit(struct plan *plan)
{
	free(plan->items);
	*plan = (struct plan){ 0 };
}

static struct error *plan_add(struct plan *plan, const struct plan_item *item)
{
	struct plan_item *items =
		memory_resize(plan->items, plan->count + 1, sizeof(*items));
	plan->items = items;
	items[plan->count++] = *item;
	return NULL;
}

/** Everything that one decision is made from. */
struct planner {
	const struct catalog *catalog;
	const struct inventory *inventory;
	const struct plan_selection *selection;
	/** For each pattern, whether it has matched a kernel that exists. */
	bool *pattern_used;
	struct plan *plan;
};

/** Whether the release is asked for; notes which patterns say so. */
static bool is_selected(struct planner *planner, const char *release)
{
	const struct string_list *patterns = planner->selection->kernels;
	bool selected = patterns->count == 0;

	for (size_t i = 0; i < patterns->count; i++) {
		if (release_matches(release, patterns->items[i])) {
			planner->pattern_used[i] = true;
			selected = true;
		}
	}
	return selected;
}

static struct error *consider(struct planner *planner,
			      const struct kernel_version *version,
			      const struct catalog_arch *arch,
			      const struct catalog_flavor *flavor)
{
	const struct plan_selection *selection = planner->selection;
	struct plan_item item = { .arch = arch, .flavor = flavor };
	unsigned int patch;

	if (!version_range_contains(&arch->versions, version))
		return NULL;
	catalog_release(planner->catalog, version, flavor, 0, &item.release);
	release_format(&item.release, item.release_text);
	if (!is_selected(planner, item.release_text))
		return NULL;
	if (inventory_has(planner->inventory, &item.release, arch->name, &patch)) {
		if (!selection->rebuild)
			return NULL;
		item.release.patch = patch + 1;
		release_format(&item.release, item.release_text);
	}
	if (selection->limit && planner->plan->count >= selection->limit) {
		planner->plan->left_out++;
		return NULL;
	}
	return plan_add(planner->plan, &item);
}

static struct error *consider_version(struct planner *planner,
				      const struct kernel_version *version)
{
	const struct catalog *catalog = planner->catalog;
	const struct plan_selection *selection = planner->selection;

	for (size_t i = 0; i < catalog->arch_count; i++) {
		const struct catalog_arch *arch = &catalog->archs[i];

		if (selection->archs->count
			    ? !string_list_contains(selection->archs, arch->name)
			    : !arch->enabled)
			continue;
		for (size_t j = 0; j < catalog->flavor_count; j++) {
			struct error *err;
			const struct catalog_flavor *flavor =
				&catalog->flavors[j];

			if (selection->flavors->count &&
			    !string_list_contains(selection->flavors,
						  flavor->name))
				continue;
			err = consider(planner, version, arch, flavor);
			if (err)
				return err;
		}
	}
	return NULL;
}

struct error *plan_compute(const struct catalog *catalog,
			   const struct series_list *kernels,
			   const struct asset_list *assets,
			   const struct plan_selection *selection,
			   struct plan *ret)
{
	struct error *err;
	_cleanup_plan_ struct plan plan = { 0 };
	_cleanup_inventory_ struct inventory inventory = { 0 };
	_cleanup_free_ bool *pattern_used =
		calloc(selection->kernels->count + 1, sizeof(bool));
	struct planner planner = {
		.catalog = catalog,
		.inventory = &inventory,
		.selection = selection,
		.pattern_used = pattern_used,
		.plan = &plan,
	};

	if (!pattern_used)
		memory_exhausted();
	if (selection->latest_stable && !kernels->has_latest_stable)
		return error_create(ERROR_NOT_FOUND,
				    "kernel.org names no latest stable kernel");
	err = inventory_read(assets, &inventory);
	if (err)
		return err;
	for (size_t i = 0; i < kernels->count; i++) {
		const struct kernel_version *version = &kernels->items[i].version;

		if (selection->latest_stable &&
		    kernel_version_compare(version, &kernels->latest_stable) != 0)
			continue;
		err = consider_version(&planner, version);
		if (err)
			return err;
	}
	for (size_t i = 0; i < selection->kernels->count; i++) {
		if (!pattern_used[i])
			return error_create(ERROR_USAGE,
					    "no kernel that kernel.org has and the catalog keeps matches '%s'; 'vmtest-bot poll' lists them",
					    selection->kernels->items[i]);
	}
	*ret = plan;
	plan = (struct plan){ 0 };
	return NULL;
}
