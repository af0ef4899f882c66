// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_BISECTION_H
#define VM_SUITE_BISECTION_H

/**
 * @file
 *
 * git-bisect(1) beside a repository: in one of ours that has no objects but the
 * user's. His repository is only read, so that neither his checkout nor a
 * bisection of his own is touched, and there is nothing to reset. The state is
 * kept until it is deleted.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

struct error;

struct bisection {
	/** The user's, absolute. */
	char *repository;
	/** Ours. */
	char *directory;
};

void bisection_deinit(struct bisection *bisect);

/** How it has ended. */
struct bisection_end {
	/** Else one of them is it: those that were skipped hide which. */
	bool is_certain;
	/** The first bad commit; empty while it has not ended. */
	struct string_list commits;
};

void bisection_end_deinit(struct bisection_end *end);

#define _cleanup_bisection_end_ _cleanup_(bisection_end_deinit)

/** Read what `git bisect log` prints. @return Whether it has ended. */
bool bisection_read_end(const char *log, struct bisection_end *ret);

/** What git-log(1) prints of a commit; free(). */
_must_check_ struct error *bisection_show(const struct bisection *bisect,
					  const char *format,
					  const char *commit, char **ret);

bool bisection_is_started(const struct bisection *bisect);

/** Begin anew. The commits are those of repository_find_commit(). */
_must_check_ struct error *bisection_start(const struct bisection *bisect,
					   const char *good, const char *bad);

/**
 * What comes next.
 *
 * @param[out] end_ret If it has ended, its commits; then the other is NULL.
 * @param[out] commit_ret To be tested; free().
 */
_must_check_ struct error *bisection_next(const struct bisection *bisect,
					  struct bisection_end *end_ret,
					  char **commit_ret);

/**
 * Note what a test has shown.
 *
 * @param[in] verdict `good`, `bad` or `skip`
 * @return ERROR_OTHER if git cannot go on, as where a merge base is bad; it has
 * said why on stderr.
 */
_must_check_ struct error *bisection_mark(const struct bisection *bisect,
					  const char *commit,
					  const char *verdict);

#endif /* VM_SUITE_BISECTION_H */
