// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_INVENTORY_H
#define BOT_PLAN_INVENTORY_H

/**
 * @file
 *
 * The kernels that a store has: its assets, their names read once; which of
 * them newer ones have superseded, and which of these go.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/kernel/release.h"

struct asset;
struct asset_list;
struct error;
struct release_selection;
struct store;
struct store_room;

struct inventory_item {
	/** Borrowed from the list. */
	const struct asset *asset;
	struct release release;
	char arch[ARCH_SIZE];
};

struct inventory {
	struct inventory_item *items;
	size_t count;
};

void inventory_deinit(struct inventory *inventory);

#define _cleanup_inventory_ _cleanup_(inventory_deinit)

/** Assets whose name is no package's are left out. */
void inventory_read(const struct asset_list *assets, struct inventory *ret);

/**
 * Whether the store has a release in any PATCH.
 *
 * @param[out] patch_ret The highest there is; 0 if there is none.
 */
bool inventory_has(const struct inventory *inventory,
		   const struct release *release, const char *arch,
		   unsigned int *patch_ret);

struct prune_list {
	/** Borrowed from the assets. */
	const struct asset **items;
	size_t count;
};

void prune_list_deinit(struct prune_list *list);

#define _cleanup_prune_list_ _cleanup_(prune_list_deinit)

/**
 * Of each series, flavor and architecture, all but the newest. Assets whose
 * name is no package's are left alone.
 *
 * @param[in] keep How many stay of each; at least 1.
 * @param[in] selection What it is about: others are left alone.
 */
void prune_compute(const struct asset_list *assets, size_t keep,
		   const struct release_selection *selection,
		   struct prune_list *ret);

/**
 * Choose the assets that have to go before what is planned fits into the store:
 * as few as will do, the oldest of those that are superseded. GitHub takes no
 * more than 1,000 assets in a release.
 *
 * @param[in] planned How many assets are to come.
 * @param[out] ret None if all fits as it is.
 * @return An error, which counts, if not even that is enough.
 */
_must_check_ struct error *prune_make_room(const struct asset_list *assets,
					   const struct store_room *room,
					   size_t planned, size_t keep,
					   struct prune_list *ret);

/** Delete them, saying so. */
_must_check_ struct error *prune_execute(struct store *store,
					 const struct prune_list *list);

#endif /* BOT_PLAN_INVENTORY_H */
