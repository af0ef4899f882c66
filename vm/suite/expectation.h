// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_EXPECTATION_H
#define VM_SUITE_EXPECTATION_H

/**
 * @file
 *
 * What a project knows to be wrong: kernels on which its command fails, and
 * splats that do not count, each with a reason and the last day on which it
 * holds. In vmtest.json:
 *
 *     {
 *       "expect_failure": [
 *         { "kernels": { "min": "6.1", "below": "6.6" }, "flavors": ["tiny"],
 *           "reason": "needs the fix of 6.6", "until": "2027-01-31" }
 *       ],
 *       "splats": {
 *         "ignore": [
 *           { "pattern": "WARNING: *lib/x.c*", "reason": "reported",
 *             "until": "2027-01-31" }
 *         ]
 *       }
 *     }
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"

struct suite_item;

enum {
	DATE_SIZE = sizeof("2027-01-31"),
};

/** A row; without a range, or without names, it is for all of them. */
struct expectation {
	struct version_range kernels;
	struct string_list archs, flavors;
	/** A glob over a splat's line; NULL for a failure. */
	char *pattern;
	char *reason;
	/** The last day: YYYY-MM-DD, so that the order of texts is of time. */
	char until[DATE_SIZE];
};

struct expectation_list {
	struct expectation *items;
	size_t count;
};

void expectation_list_deinit(struct expectation_list *list);

/** What holds when a suite is run. All is borrowed. */
struct expectations {
	/** NULL for none. */
	const struct expectation_list *failures, *splats;
	char today[DATE_SIZE];
};

/** Read `struct expectation_list`: that of failures, and "splats". */
_must_check_ value_reader value_expected_failures;
_must_check_ value_reader value_splats;

/**
 * Find the row for a kernel: one that holds today, else one that held before.
 *
 * @param[in] list May be NULL.
 * @param[in] splat NULL for a failure.
 * @param[out] holds_ret Whether it holds today.
 * @return NULL if there is none.
 */
const struct expectation *expectation_find(const struct expectation_list *list,
					   const struct suite_item *item,
					   const char *splat, const char *today,
					   bool *holds_ret);

#endif /* VM_SUITE_EXPECTATION_H */
