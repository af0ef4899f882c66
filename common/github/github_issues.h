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

struct error;
struct github;
struct value;

enum {
	/** Characters of an issue or of a comment. */
	GITHUB_ISSUE_BODY_LIMIT = 65536,
};

struct github_issue {
	uint64_t number;
	/** Never NULL. */
	char *body;
	/** Whether it has the label that was asked about. */
	bool labelled;
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

/*
 * What GitHub says, read from JSON that is not trusted; see github_json.h.
 */

/**
 * Add a page of issues to a list, without the pull requests, which GitHub lists
 * among them.
 *
 * @param[out] count_ret How many there are of either kind on the page.
 */
_must_check_ struct error *github_read_issues(const struct value *page,
					      const char *label,
					      struct github_issue_list *list,
					      size_t *count_ret);

/**
 * Whether a page of comments has one of this text.
 *
 * @param[out] count_ret How many there are on the page.
 */
_must_check_ struct error *github_find_comment(const struct value *page,
					       const char *body, bool *found_ret,
					       size_t *count_ret);

#endif /* COMMON_GITHUB_GITHUB_ISSUES_H */
