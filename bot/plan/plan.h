// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_PLAN_H
#define BOT_PLAN_PLAN_H

/**
 * @file
 *
 * What the store lacks, as data, and that as JSON. Nothing here touches
 * anything. An item is
 *
 *     {
 *       "release": "6.12.117-vmtest1.0tiny",
 *       "version": "6.12.117",
 *       "series": "6.12",
 *       "arch": "x86_64",
 *       "flavor": "tiny"
 *     }
 *
 * and `{"include": [ITEM...]}` is what GitHub Actions makes jobs from.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/string_list.h"
#include "common/kernel/release.h"

struct asset_list;
struct catalog;
struct catalog_arch;
struct error;
struct json_t;
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
	unsigned int limit;
};

/** One package to build. */
struct plan_item {
	struct release release;
	char release_text[RELEASE_TEXT_SIZE];
	const struct catalog_arch *arch;
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

enum {
	/** GitHub Actions makes at most so many jobs of a matrix. */
	PLAN_MATRIX_LIMIT = 256,
};

/** What a release consists of, as above. @return A reference to be owned. */
struct json_t *plan_release_json(const struct release *release, const char *arch);

/** The items as an array. @return A reference that the caller owns. */
struct json_t *plan_json(const struct plan *plan);

/** A matrix of the items, on one line; free(). */
char *plan_matrix_format(const struct plan *plan);

/** A matrix of the sources, `{"version": …}`, each once; free(). */
char *plan_versions_format(const struct plan *plan);

/**
 * A matrix of the items with "left_out", how many more there would be, in a
 * form for a file. free()
 */
char *plan_document_format(const struct plan *plan);

/** An item of a plan that another job has made. */
struct planned {
	struct release release;
	char release_text[RELEASE_TEXT_SIZE];
	char arch[ARCH_SIZE];
};

/** In the plan's order. */
struct planned_list {
	struct planned *items;
	size_t count;
	size_t left_out;
};

void planned_list_deinit(struct planned_list *list);

#define _cleanup_planned_list_ _cleanup_(planned_list_deinit)

/**
 * Read a plan's document or its matrix.
 *
 * @param[in] name For messages.
 * @return ERROR_USAGE if it is neither.
 */
_must_check_ struct error *planned_list_parse(const char *text, const char *name,
					      struct planned_list *ret);

#endif /* BOT_PLAN_PLAN_H */
