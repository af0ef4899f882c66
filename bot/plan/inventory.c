// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/store/store.h"

void inventory_deinit(struct inventory *inventory)
{
	free(inventory->items);
	*inventory = (struct inventory){ 0 };
}

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
