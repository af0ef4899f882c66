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

static void consider(struct planner *planner,
		     const struct kernel_version *version,
		     const struct catalog_arch *arch,
		     const struct catalog_flavor *flavor)
{
	const struct plan_selection *selection = planner->selection;
	struct plan *plan = planner->plan;
	struct plan_item item = { .arch = arch, .flavor = flavor };
	catalog_release(planner->catalog, version, flavor, 0, &item.release);
	release_format(&item.release, item.release_text);
	if (!is_selected(planner, item.release_text))
		return;
	unsigned int patch;
	if (inventory_has(planner->inventory, &item.release, arch->name, &patch)) {
		if (!selection->rebuild)
			return;
		item.release.patch = patch + 1;
		release_format(&item.release, item.release_text);
	}
	if (selection->limit && plan->count >= selection->limit)
		plan->left_out++;
	else
		vector_add(plan) = item;
}

static void consider_version(struct planner *planner,
			     const struct kernel_version *version)
{
	const struct catalog *catalog = planner->catalog;
	const struct string_list *archs = planner->selection->archs;
	const struct string_list *flavors = planner->selection->flavors;

	for (size_t i = 0; i < catalog->arch_count; i++) {
		const struct catalog_arch *arch = &catalog->archs[i];

		if (archs->count ? !string_list_contains(archs, arch->name)
				 : !arch->enabled)
			continue;
		if (!version_range_contains(&arch->versions, version))
			continue;
		for (size_t j = 0; j < catalog->flavor_count; j++) {
			const struct catalog_flavor *flavor =
				&catalog->flavors[j];

			if (!flavors->count ||
			    string_list_contains(flavors, flavor->name))
				consider(planner, version, arch, flavor);
		}
	}
}

struct error *plan_compute(const struct catalog *catalog,
			   const struct series_list *kernels,
			   const struct asset_list *assets,
			   const struct plan_selection *selection,
			   struct plan *ret)
{
	const struct string_list *patterns = selection->kernels;

	if (selection->latest_stable && !kernels->has_latest_stable)
		return error_create(ERROR_NOT_FOUND,
				    "kernel.org names no latest stable kernel");
	_cleanup_plan_ struct plan plan = { 0 };
	_cleanup_inventory_ struct inventory inventory = { 0 };
	inventory_read(assets, &inventory);
	_cleanup_free_ bool *pattern_used =
		memory_allocate(patterns->count, sizeof(bool));
	struct planner planner = {
		.catalog = catalog,
		.inventory = &inventory,
		.selection = selection,
		.pattern_used = pattern_used,
		.plan = &plan,
	};
	for (size_t i = 0; i < kernels->count; i++) {
		const struct kernel_version *version = &kernels->items[i].version;

		if (!selection->latest_stable ||
		    kernel_version_compare(version, &kernels->latest_stable) == 0)
			consider_version(&planner, version);
	}
	for (size_t i = 0; i < patterns->count; i++) {
		if (!pattern_used[i])
			return error_create(ERROR_USAGE,
					    "no kernel that kernel.org has and the catalog keeps matches '%s'; 'vmtest-bot poll' lists them",
					    patterns->items[i]);
	}
	*ret = take(plan);
	return NULL;
}
