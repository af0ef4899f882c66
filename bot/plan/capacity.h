// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_CAPACITY_H
#define BOT_PLAN_CAPACITY_H

/**
 * @file
 *
 * Whether what is planned fits into the store, before anything is built: GitHub
 * takes no more than 1,000 assets in a release.
 */

#include <stddef.h>

#include "common/base/cleanup.h"

struct asset_list;
struct error;
struct prune_list;
struct store_room;

/**
 * Choose the assets that have to go first: as few as will do, the oldest of
 * those that newer ones have superseded.
 *
 * @param[in] planned How many assets are to come.
 * @param[in] keep How many of each series, flavor and architecture stay.
 * @param[out] ret None if all fits as it is.
 * @return An error, which counts, if not even that is enough.
 */
_must_check_ struct error *capacity_compute(const struct asset_list *assets,
					    const struct store_room *room,
					    size_t planned, size_t keep,
					    struct prune_list *ret);

#endif /* BOT_PLAN_CAPACITY_H */
