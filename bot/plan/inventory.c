// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/store/store.h"

void inventory_deinit(struct inventory *inventory)
{
	free(inventory->items);
	*inventory = (struct inventory){ 0 };
}

struct error *inventory_read(const struct asset_list *assets,
			     struct inventory *ret)
{
	struct inventory_item *items = calloc(assets->count + 1, sizeof(*items));
	size_t count = 0;

	if (!items)
		memory_exhausted();
	for (size_t i = 0; i < assets->count; i++) {
		struct inventory_item *item = &items[count];

		item->asset = &assets->items[i];
		if (package_name_parse(item->asset->name, &item->release,
				       item->arch))
			count++;
	}
	*ret = (struct inventory){ items, count };
	return NULL;
}

bool inventory_has(const struct inventory *inventory,
		   const struct release *release, const char *arch,
		   unsigned int *patch_ret)
{
	bool found = false;
	unsigned int patch = 0;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct inventory_item *item = &inventory->items[i];

		if (kernel_version_compare(&item->release.version,
					   &release->version) != 0 ||
		    item->release.revision != release->revision ||
		    strcmp(item->arch, arch) != 0 ||
		    strcmp(item->release.flavor, release->flavor) != 0)
			continue;
		found = true;
		if (item->release.patch > patch)
			patch = item->release.patch;
	}
	if (patch_ret)
		*patch_ret = patch;
	return found;
}
