// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/prune.h"

#include <stdlib.h>
#include <string.h>

#include "bot/plan/inventory.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/kernel/release.h"
#include "common/store/store.h"

void prune_list_deinit(struct prune_list *list)
{
	free(list->items);
	*list = (struct prune_list){ 0 };
}

/** How many of the same kind are newer. */
static size_t count_newer(const struct inventory *inventory,
			  const struct inventory_item *item)
{
	size_t newer = 0;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct inventory_item *other = &inventory->items[i];

		if (strcmp(other->arch, item->arch) == 0 &&
		    release_same_kind(&other->release, &item->release) &&
		    release_compare(&other->release, &item->release) > 0)
			newer++;
	}
	return newer;
}

struct error *prune_compute(const struct asset_list *assets, size_t keep,
			    const struct release_selection *selection,
			    struct prune_list *ret)
{
	struct error *err;
	_cleanup_prune_list_ struct prune_list list = { 0 };
	_cleanup_inventory_ struct inventory inventory = { 0 };

	err = inventory_read(assets, &inventory);
	if (err)
		return err;
	list.items = memory_allocate(inventory.count + 1, sizeof(struct asset *));
	for (size_t i = 0; i < inventory.count; i++) {
		const struct inventory_item *item = &inventory.items[i];

		if (release_is_selected(&item->release, item->arch, selection) &&
		    count_newer(&inventory, item) >= keep)
			list.items[list.count++] = item->asset;
	}
	*ret = list;
	list = (struct prune_list){ 0 };
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

struct error *prune_superseded(struct store *store,
			       const struct asset_list *assets, size_t keep,
			       const struct release_selection *selection,
			       size_t *count_ret)
{
	struct error *err;
	_cleanup_prune_list_ struct prune_list list = { 0 };

	err = prune_compute(assets, keep, selection, &list);
	if (!err)
		err = prune_execute(store, &list);
	if (err)
		return err;
	*count_ret = list.count;
	return NULL;
}
