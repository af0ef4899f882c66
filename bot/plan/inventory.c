// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/store/store.h"

void inventory_read(const struct asset_list *assets, struct inventory *ret)
{
	*ret = (struct inventory){ 0 };
	for (size_t i = 0; i < assets->count; i++) {
		struct inventory_item item = { .asset = &assets->items[i] };

		if (package_name_parse(item.asset->name, &item.release, item.arch))
			vector_add(ret) = item;
	}
}

bool inventory_has(const struct inventory *inventory,
		   const struct release *release, const char *arch,
		   unsigned int *patch_ret)
{
	bool found = false;

	*patch_ret = 0;
	for (size_t i = 0; i < inventory->count; i++) {
		const struct inventory_item *item = &inventory->items[i];

		if (kernel_version_compare(&item->release.version,
					   &release->version) != 0 ||
		    item->release.revision != release->revision ||
		    strcmp(item->arch, arch) != 0 ||
		    strcmp(item->release.flavor, release->flavor) != 0)
			continue;
		found = true;
		if (item->release.patch > *patch_ret)
			*patch_ret = item->release.patch;
	}
	return found;
}

struct prune_rule prune_rule_from_options(size_t keep, unsigned int keep_days)
{
	return (struct prune_rule){
		keep, (int64_t)time(NULL) - (int64_t)keep_days * 24 * 3600
	};
}

/** How many of the same kind are newer, and were there before a time. */
static size_t count_newer(const struct inventory *inventory,
			  const struct inventory_item *item, int64_t before_s)
{
	size_t newer = 0;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct inventory_item *other = &inventory->items[i];

		if (other->asset->created <= before_s &&
		    strcmp(other->arch, item->arch) == 0 &&
		    release_same_kind(&other->release, &item->release) &&
		    release_compare(&other->release, &item->release) > 0)
			newer++;
	}
	return newer;
}

void prune_compute(const struct asset_list *assets, const struct prune_rule *rule,
		   const struct release_selection *selection,
		   struct prune_list *ret)
{
	_cleanup_inventory_ struct inventory inventory = { 0 };
	inventory_read(assets, &inventory);
	*ret = (struct prune_list){ 0 };
	for (size_t i = 0; i < inventory.count; i++) {
		const struct inventory_item *item = &inventory.items[i];

		if (release_is_selected(&item->release, item->arch, selection) &&
		    count_newer(&inventory, item, rule->before_s) >= rule->keep)
			vector_add(ret) = item->asset;
	}
}

static int compare_ages(const void *a, const void *b)
{
	const struct asset *const *x = a, *const *y = b;

	if ((*x)->created != (*y)->created)
		return (*x)->created < (*y)->created ? -1 : 1;
	return strcmp((*x)->name, (*y)->name);
}

struct error *prune_make_room(const struct asset_list *assets,
			      const struct store_room *room, size_t planned,
			      size_t keep, struct prune_list *ret)
{
	*ret = (struct prune_list){ 0 };
	if (!room->limit || room->used + planned <= room->limit)
		return NULL;
	size_t surplus = room->used + planned - room->limit;
	static const struct string_list all = { 0 };
	static const struct release_selection everything = { &all, &all, &all };
	_cleanup_prune_list_ struct prune_list superseded = { 0 };
	const struct prune_rule rule = { keep, INT64_MAX };
	prune_compute(assets, &rule, &everything, &superseded);
	if (superseded.count < surplus)
		return error_create(
			ERROR_OTHER,
			"%zu more kernels do not fit: it holds %zu assets of at most %zu, and only %zu of them could be pruned, as newer ones have superseded them; ask for fewer (--limit, --kernel, --flavor), delete some, or use another tag",
			planned, room->used, room->limit, superseded.count);
	qsort(superseded.items, superseded.count, sizeof(*superseded.items),
	      compare_ages);
	superseded.count = surplus;
	*ret = take(superseded);
	return NULL;
}

struct error *prune_execute(struct store *store, const struct prune_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct error *err = store_delete(store, list->items[i]);

		if (err)
			return error_wrap(err, "prune %s", list->items[i]->name);
		log_info("pruned %s", list->items[i]->name);
	}
	return NULL;
}
