// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_FAILURE_H
#define BOT_PLAN_FAILURE_H

/**
 * @file
 *
 * Kernels that failed, and when they are tried again: 1, 2 and 4 days after the
 * first, second and third time, then every week; where a job left no result, the
 * first time does not count. A run of a workflow that is run again counts once.
 * What is known of them is the
 * first line of the store's page, a comment that GitHub does not show:
 *
 *     <!-- vmtest failures [{"release": "6.12.117-vmtest1.0tiny",
 *     "arch": "x86_64", "failed": "build", "failures": 2,
 *     "not_before": "2026-12-03", "recipe": "0123456789abcdef",
 *     "run": "12345678901"}] -->
 *
 * Who deletes it has all of them tried at once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "bot/build/build.h"
#include "bot/plan/plan.h"
#include "common/kernel/release.h"

enum {
	/** `2026-12-03`, a day of UTC. */
	DAY_SIZE = 11,
	/** More are forgotten, the oldest kernels first. */
	FAILURES_MAX = 200,
	/** Of a 64-bit number. */
	RUN_SIZE = 21,
};

/** The day of a time, or so many days later. */
void day_format(time_t now, int days, char day_ret[static DAY_SIZE]);

struct failure {
	/** Of a kernel that the store has in no PATCH, so its own is 0. */
	struct release release;
	char arch[ARCH_SIZE];
	/** The phase, or `job`. A constant. */
	const char *failed;
	unsigned int count;
	/** It is not tried again before this day. */
	char not_before[DAY_SIZE];
	/** What it was made from: where it changes, it is tried at once. */
	char recipe[RECIPE_SIZE];
	/** The run of a workflow in which it last failed; "" for none. */
	char run[RUN_SIZE];
};

struct failure_list {
	struct failure *items;
	size_t count;
};

DEFINE_LIST_DEINIT(failure_list)

#define _cleanup_failure_list_ _cleanup_(failure_list_deinit)

/**
 * Whether a failure there says that the kernel will fail again. Where
 * kernel.org or the store failed, the next run tries again.
 */
bool failure_counts(const char *phase);

/**
 * Whether it is the kernel that fails, and not the machine: it failed by
 * itself, and for the second time in a row.
 *
 * @param[in] failure NULL is none.
 */
bool failure_is_fault(const struct failure *failure);

/** Whether it is of a kernel of a version's series. */
bool failure_is_of_series(const struct failure *failure,
			  const struct kernel_version *version);

/** Whether any is. */
bool failures_has_series(const struct failure_list *list,
			 const struct kernel_version *version);

/** @param[in] page NULL, or one without failures, has none. */
void failures_read(const char *page, struct failure_list *ret);

/** Append the first line of a page; nothing if there are none. */
void failures_append(struct string_builder *sb, const struct failure_list *list);

/** `failed 2 times: build; not tried again before 2026-12-03`; free(). */
char *failure_text(const struct failure *failure);

/** NULL if it has not failed. */
const struct failure *failures_find(const struct failure_list *list,
				    const struct release *release,
				    const char *arch);

/** Whether it is not yet to be tried again. */
bool failure_waits(const struct failure *failure, time_t now);

/**
 * Note that a kernel has failed: once more, if it is in the list with the same
 * recipe, and not by the same run.
 *
 * @param[in] run Of a workflow, by its number; NULL for none.
 */
void failures_add(struct failure_list *list, const struct release *release,
		  const char *arch, const char *phase, const char *recipe,
		  const char *run, time_t now);

/**
 * Forget a kernel that the store has, or of which it has a newer version; one
 * of which a newer version has failed; and one that nobody tries any more.
 */
void failures_clean(struct failure_list *list, const struct asset_list *assets,
		    time_t now);

#endif /* BOT_PLAN_FAILURE_H */
