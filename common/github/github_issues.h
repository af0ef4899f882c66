// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_GITHUB_ISSUES_H
#define COMMON_GITHUB_GITHUB_ISSUES_H

/**
 * @file
 *
 * GitHub's REST API, as far as a repository's issues go. All calls block; they
 * need a token with the permission `issues: write`, and say so if it lacks.
 * https://docs.github.com/en/rest/issues
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"

struct error;
struct github;

enum {
	/** Characters of an issue or of a comment. */
	GITHUB_ISSUE_BODY_LIMIT = 65536,
};

struct github_issue {
	uint64_t number;
	/** Never NULL. */
	char *body;
	/** GitHub lists these among the issues; github_list_issues() does not. */
	bool is_pull_request;
};

struct github_issue_list {
	struct github_issue *items;
	size_t count;
};

void github_issue_list_deinit(struct github_issue_list *list);

#define _cleanup_github_issue_list_ _cleanup_(github_issue_list_deinit)

/** All open issues that have a label, in the order in which they were made. */
_must_check_ struct error *github_list_issues(const struct github *github,
					      const char *label,
					      struct github_issue_list *ret);

/**
 * Make an issue. The label is made if the repository does not have it.
 *
 * @return ERROR_RETRY if it may have been made, or not: look before trying
 * again.
 */
_must_check_ struct error *
github_create_issue(const struct github *github, const char *title,
		    const char *body, const char *label, uint64_t *number_ret);

_must_check_ struct error *github_update_issue(const struct github *github,
					       uint64_t number, const char *title,
					       const char *body);

/** As completed. No error if it is closed already. */
_must_check_ struct error *github_close_issue(const struct github *github,
					      uint64_t number);

/** @return ERROR_RETRY as github_create_issue(). */
_must_check_ struct error *github_comment_issue(const struct github *github,
						uint64_t number,
						const char *body);

/** Whether an issue has a comment of this text. */
_must_check_ struct error *github_issue_has_comment(const struct github *github,
						    uint64_t number,
						    const char *body, bool *ret);

/**
 * A reader of `struct github_issue`, from JSON that is not trusted. On failure,
 * too, it is to be freed.
 */
_must_check_ value_reader github_read_issue;

#endif /* COMMON_GITHUB_GITHUB_ISSUES_H */
