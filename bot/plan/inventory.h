// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_INVENTORY_H
#define BOT_PLAN_INVENTORY_H

/** @file The kernels that a store has: its assets, their names read once. */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/kernel/release.h"

struct asset;
struct asset_list;

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

#endif /* BOT_PLAN_INVENTORY_H */
