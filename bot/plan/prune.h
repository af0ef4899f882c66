// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_PRUNE_H
#define BOT_PLAN_PRUNE_H

/** @file Which assets newer ones have superseded, and which of them go. */

#include <stddef.h>

#include "common/base/cleanup.h"

struct asset;
struct asset_list;
struct error;
struct release_selection;
struct store;
struct store_room;

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

/**
 * Compute and execute.
 *
 * @param[out] count_ret How many were deleted.
 */
_must_check_ struct error *
prune_superseded(struct store *store, const struct asset_list *assets,
		 size_t keep, const struct release_selection *selection,
		 size_t *count_ret);

#endif /* BOT_PLAN_PRUNE_H */
