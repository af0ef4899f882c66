// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/capacity.h"

#include <stdlib.h>
#include <string.h>

#include "bot/plan/prune.h"
#include "common/base/error.h"
#include "common/base/string_list.h"
#include "common/kernel/release.h"
#include "common/store/store.h"

static int compare_ages(const void *a, const void *b)
{
	const struct asset *const *x = a, *const *y = b;

	if ((*x)->created != (*y)->created)
		return (*x)->created < (*y)->created ? -1 : 1;
	return strcmp((*x)->name, (*y)->name);
}

struct error *capacity_compute(const struct asset_list *assets,
			       const struct store_room *room, size_t planned,
			       size_t keep, struct prune_list *ret)
{
	struct error *err;
	static const struct string_list all = STRING_LIST_INIT;
	static const struct release_selection everything = { &all, &all, &all };
	_cleanup_prune_list_ struct prune_list superseded = { 0 };
	size_t surplus;

	if (!room->limit || room->used + planned <= room->limit) {
		*ret = (struct prune_list){ 0 };
		return NULL;
	}
	surplus = room->used + planned - room->limit;
	err = prune_compute(assets, keep, &everything, &superseded);
	if (err)
		return err;
	if (superseded.count < surplus) {
		return error_create(
			ERROR_OTHER,
			"%zu more kernels do not fit: it holds %zu assets of at most %zu, and only %zu of them could be pruned, as newer ones have superseded them; ask for fewer (--limit, --kernel, --flavor), delete some, or use another tag",
			planned, room->used, room->limit, superseded.count);
	}
	qsort(superseded.items, superseded.count, sizeof(struct asset *),
	      compare_ages);
	superseded.count = surplus;
	*ret = superseded;
	superseded = (struct prune_list){ 0 };
	return NULL;
}
