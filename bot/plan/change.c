// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan.h"

#include <string.h>

#include "bot/build/build.h"
#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"

struct error *plan_keep_changed(struct plan *plan, const struct catalog *catalog,
				const struct catalog *earlier)
{
	struct error *err;
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];
		char now[RECIPE_SIZE], then[RECIPE_SIZE] = "";

		err = recipe_digest(catalog, item->arch->name, &item->release,
				    "", now);
		if (err)
			return err;
		// What it did not have has changed.
		err = recipe_digest(earlier, item->arch->name, &item->release,
				    "", then);
		if (err && !error_catch(&err, ERROR_USAGE))
			return err;
		if (strcmp(now, then) != 0)
			plan->items[count++] = *item;
	}
	plan->count = count;
	return NULL;
}

void plan_keep_ends(struct plan *plan, size_t limit)
{
	if (!limit || plan->count <= limit)
		return;
	size_t oldest = limit / 2;
	memmove(&plan->items[limit - oldest], &plan->items[plan->count - oldest],
		oldest * sizeof(*plan->items));
	plan->left_out += plan->count - limit;
	plan->count = limit;
}
