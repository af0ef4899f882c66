// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_issues.h"

#include <inttypes.h>
#include <jansson.h>

#include "common/base/error.h"
#include "common/github/github.h"

enum {
	PER_PAGE = 100,
	/** Many more issues than there are series. */
	PAGES_MAX = 50,
};

struct error *github_list_issues(const struct github *github, const char *label,
				 struct github_issue_list *ret)
{
	_cleanup_github_issue_list_ struct github_issue_list list = { 0 };
	size_t count = PER_PAGE;

	for (int page = 1; page <= PAGES_MAX && count == PER_PAGE; page++) {
		struct error *err;
		_cleanup_http_response_ struct http_response response = { 0 };

		err = github_call(github, GITHUB_GET, NULL, &response,
				  "/issues?state=open&labels=%s&sort=created&direction=asc&per_page=%d&page=%d",
				  label, PER_PAGE, page);
		if (err)
			return err;
		err = github_parse_issues(response.body, response.body_size_bytes,
					  label, &list, &count);
		if (err)
			return err;
	}
	*ret = take(list);
	return NULL;
}

struct error *github_create_issue(const struct github *github,
				  const char *title, const char *body,
				  const char *label, uint64_t *number_ret)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_github_issue_ struct github_issue issue = { 0 };

	err = github_call(github, GITHUB_POST_ONCE,
			  json_pack("{s:s, s:s, s:[s]}", "title", title, "body",
				    body, "labels", label),
			  &response, "/issues");
	if (err)
		return err;
	err = github_parse_issue(response.body, response.body_size_bytes, label,
				 &issue);
	if (err)
		return err;
	// Where a token may make issues, but not label them, GitHub says nothing.
	if (!issue.labelled) {
		err = github_call(github, GITHUB_POST,
				  json_pack("{s:[s]}", "labels", label), NULL,
				  "/issues/%" PRIu64 "/labels", issue.number);
		if (err)
			return error_wrap(err, "label issue %" PRIu64,
					  issue.number);
	}
	*number_ret = issue.number;
	return NULL;
}

struct error *github_update_issue(const struct github *github, uint64_t number,
				  const char *title, const char *body)
{
	return github_call(github, GITHUB_PATCH,
			   json_pack("{s:s, s:s}", "title", title, "body", body),
			   NULL, "/issues/%" PRIu64, number);
}

struct error *github_close_issue(const struct github *github, uint64_t number)
{
	return github_call(github, GITHUB_PATCH,
			   json_pack("{s:s, s:s}", "state", "closed",
				     "state_reason", "completed"),
			   NULL, "/issues/%" PRIu64, number);
}

struct error *github_comment_issue(const struct github *github, uint64_t number,
				   const char *body)
{
	return github_call(github, GITHUB_POST_ONCE,
			   json_pack("{s:s}", "body", body), NULL,
			   "/issues/%" PRIu64 "/comments", number);
}

struct error *github_issue_has_comment(const struct github *github,
				       uint64_t number, const char *body,
				       bool *ret)
{
	size_t count = PER_PAGE;

	*ret = false;
	for (int page = 1; page <= PAGES_MAX && count == PER_PAGE && !*ret;
	     page++) {
		struct error *err;
		_cleanup_http_response_ struct http_response response = { 0 };

		err = github_call(github, GITHUB_GET, NULL, &response,
				  "/issues/%" PRIu64
				  "/comments?per_page=%d&page=%d",
				  number, PER_PAGE, page);
		if (err)
			return err;
		err = github_find_comment(response.body, response.body_size_bytes,
					  body, ret, &count);
		if (err)
			return err;
	}
	return NULL;
}
