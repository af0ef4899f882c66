// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_PRUNE_H
#define BOT_PLAN_PRUNE_H

/** @file Which assets newer ones have superseded. */

#include <stddef.h>

#include "common/base/cleanup.h"

struct asset;
struct asset_list;
struct error;
struct release_selection;
struct store;

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
_must_check_ struct error *
prune_compute(const struct asset_list *assets, size_t keep,
	      const struct release_selection *selection, struct prune_list *ret);

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
