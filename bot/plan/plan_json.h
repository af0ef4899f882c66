// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_PLAN_JSON_H
#define BOT_PLAN_PLAN_JSON_H

/**
 * @file
 *
 * A plan as JSON. An item is
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

#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/kernel/release.h"

struct error;
struct json_t;
struct plan;

enum {
	/** GitHub Actions makes at most so many jobs of a matrix. */
	PLAN_MATRIX_LIMIT = 256,
};

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

#endif /* BOT_PLAN_PLAN_JSON_H */
