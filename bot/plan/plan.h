// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_PLAN_H
#define BOT_PLAN_PLAN_H

/** @file What the store lacks, as data. Nothing here touches anything. */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/string_list.h"
#include "common/kernel/release.h"

struct asset_list;
struct catalog;
struct catalog_arch;
struct catalog_flavor;
struct error;
struct series_list;

/**
 * What was asked for; empty lists mean everything that is not switched off in
 * the catalog.
 */
struct plan_selection {
	/** Patterns over releases. */
	const struct string_list *kernels;
	const struct string_list *archs;
	const struct string_list *flavors;
	/** Only kernel.org's newest stable kernel. */
	bool latest_stable;
	/** Build what is there, too, under the next PATCH of its name. */
	bool rebuild;
	/** Most items; 0 for no limit. */
	size_t limit;
};

/** One package to build. */
struct plan_item {
	struct release release;
	char release_text[RELEASE_TEXT_SIZE];
	const struct catalog_arch *arch;
	const struct catalog_flavor *flavor;
};

/** Newest version first. */
struct plan {
	struct plan_item *items;
	size_t count;
	/** How many more there would be without the limit. */
	size_t left_out;
};

void plan_deinit(struct plan *plan);

#define _cleanup_plan_ _cleanup_(plan_deinit)

/**
 * Compare what exists with what the store has.
 *
 * @return ERROR_USAGE if a pattern means nothing.
 */
_must_check_ struct error *plan_compute(const struct catalog *catalog,
					const struct series_list *kernels,
					const struct asset_list *assets,
					const struct plan_selection *selection,
					struct plan *ret);

#endif /* BOT_PLAN_PLAN_H */
