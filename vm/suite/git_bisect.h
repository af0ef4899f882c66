// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_GIT_BISECT_H
#define VM_SUITE_GIT_BISECT_H

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

struct git_bisect {
	/** The user's, absolute. */
	char *repository;
	/** Ours. */
	char *directory;
};

void git_bisect_deinit(struct git_bisect *bisect);

/** How it has ended. */
struct git_bisect_end {
	/** Else one of them is it: those that were skipped hide which. */
	bool is_certain;
	/** The first bad commit; empty while it has not ended. */
	struct string_list commits;
};

void git_bisect_end_deinit(struct git_bisect_end *end);

#define _cleanup_git_bisect_end_ _cleanup_(git_bisect_end_deinit)

/** Read what `git bisect log` prints. @return Whether it has ended. */
bool git_bisect_read_end(const char *log, struct git_bisect_end *ret);

/**
 * The commit that a name means in the user's repository.
 *
 * @return ERROR_USAGE if there is none; ERROR_NOT_FOUND without a git(1).
 */
_must_check_ struct error *git_bisect_resolve(const struct git_bisect *bisect,
					      const char *ref, char **ret);

/** What git-log(1) prints of a commit; free(). */
_must_check_ struct error *git_bisect_show(const struct git_bisect *bisect,
					   const char *format,
					   const char *commit, char **ret);

bool git_bisect_is_started(const struct git_bisect *bisect);

/** Begin anew. The commits are those of git_bisect_resolve(). */
_must_check_ struct error *git_bisect_start(const struct git_bisect *bisect,
					    const char *good, const char *bad);

/**
 * What comes next.
 *
 * @param[out] end_ret If it has ended, its commits; then the other is NULL.
 * @param[out] commit_ret To be tested; free().
 */
_must_check_ struct error *git_bisect_next(const struct git_bisect *bisect,
					   struct git_bisect_end *end_ret,
					   char **commit_ret);

/**
 * Note what a test has shown.
 *
 * @param[in] verdict `good`, `bad` or `skip`
 * @return ERROR_OTHER if git cannot go on, as where a merge base is bad; it has
 * said why on stderr.
 */
_must_check_ struct error *git_bisect_mark(const struct git_bisect *bisect,
					   const char *commit,
					   const char *verdict);

#endif /* VM_SUITE_GIT_BISECT_H */
