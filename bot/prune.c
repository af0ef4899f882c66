// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/prune.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/log.h"
#include "common/release.h"
#include "common/store.h"

/** An asset whose name is a package's. */
struct entry {
	const struct asset *asset;
	struct release release;
	char arch[ARCH_SIZE];
};

void prune_list_deinit(struct prune_list *list)
{
	free(list->items);
	*list = (struct prune_list){ 0 };
}

/** How many entries of the same kind are newer. */
static size_t count_newer(const struct entry *entries, size_t count,
			  const struct entry *entry)
{
	size_t newer = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(entries[i].arch, entry->arch) == 0 &&
		    release_same_kind(&entries[i].release, &entry->release) &&
		    release_compare(&entries[i].release, &entry->release) > 0)
			newer++;
	}
	return newer;
}

struct error *prune_compute(const struct asset_list *assets, size_t keep,
			    const struct release_selection *selection,
			    struct prune_list *ret)
{
	_cleanup_prune_list_ struct prune_list list = { 0 };
	_cleanup_free_ struct entry *entries =
		calloc(assets->count + 1, sizeof(*entries));
	size_t count = 0;

	list.items = calloc(assets->count + 1, sizeof(struct asset *));
	if (!entries || !list.items)
		return error_no_memory();
	for (size_t i = 0; i < assets->count; i++) {
		struct entry *entry = &entries[count];

		entry->asset = &assets->items[i];
		if (package_name_parse(entry->asset->name, &entry->release,
				       entry->arch))
			count++;
	}
	for (size_t i = 0; i < count; i++) {
		if (release_is_selected(&entries[i].release, entries[i].arch,
					selection) &&
		    count_newer(entries, count, &entries[i]) >= keep)
			list.items[list.count++] = entries[i].asset;
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
