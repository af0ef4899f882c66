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

#include "common/base/cleanup.h"

struct error;
struct plan;

enum {
	/** GitHub Actions makes at most so many jobs of a matrix. */
	PLAN_MATRIX_LIMIT = 256,
};

/** The items as an array, for json_print(); NULL if there is no memory. */
void *plan_json(const struct plan *plan);

/** A matrix of the items, on one line; free(). */
_must_check_ struct error *plan_matrix_format(const struct plan *plan,
					      char **ret);

/** A matrix of the sources, `{"version": …}`, each once; free(). */
_must_check_ struct error *plan_versions_format(const struct plan *plan,
						char **ret);

/**
 * A matrix of the items with "left_out", how many more there would be, in a
 * form for a file: what planned.h reads. free()
 */
_must_check_ struct error *plan_document_format(const struct plan *plan,
						char **ret);

#endif /* BOT_PLAN_PLAN_JSON_H */
