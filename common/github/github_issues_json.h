// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_GITHUB_ISSUES_JSON_H
#define COMMON_GITHUB_GITHUB_ISSUES_JSON_H

/**
 * @file
 *
 * What GitHub's REST API says about issues, read from JSON that is not trusted;
 * see github_json.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct error;

struct github_issue {
	uint64_t number;
	/** Never NULL. */
	char *body;
	/** Whether it has the label that was asked about. */
	bool labelled;
};

void github_issue_deinit(struct github_issue *issue);

#define _cleanup_github_issue_ _cleanup_(github_issue_deinit)

struct github_issue_list {
	struct github_issue *items;
	size_t count;
};

void github_issue_list_deinit(struct github_issue_list *list);

#define _cleanup_github_issue_list_ _cleanup_(github_issue_list_deinit)

_must_check_ struct error *github_parse_issue(const char *text, size_t size,
					      const char *label,
					      struct github_issue *ret);

/**
 * Add a page of issues to a list, without the pull requests, which GitHub lists
 * among them.
 *
 * @param[out] count_ret How many there are of either kind on the page.
 */
_must_check_ struct error *github_parse_issues(const char *text, size_t size,
					       const char *label,
					       struct github_issue_list *list,
					       size_t *count_ret);

/**
 * Whether a page of comments has one of this text.
 *
 * @param[out] count_ret How many there are on the page.
 */
_must_check_ struct error *github_find_comment(const char *text, size_t size,
					       const char *body, bool *found_ret,
					       size_t *count_ret);

#endif /* COMMON_GITHUB_GITHUB_ISSUES_JSON_H */
