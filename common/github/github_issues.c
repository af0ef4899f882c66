// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_issues.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/github/github.h"
#include "common/http/http.h"

enum {
	PER_PAGE = 100,
	/** Many more issues than there are series. */
	PAGES_MAX = 50,
};

static const char *const headers[] = {
	GITHUB_ACCEPT_JSON,
	GITHUB_API_VERSION,
	NULL,
};
static const char *const body_headers[] = {
	GITHUB_ACCEPT_JSON,
	GITHUB_API_VERSION,
	"Content-Type: application/json",
	NULL,
};

/** What to do about an answer that says something else than of releases. */
static const struct {
	long status;
	const char *remedy;
} remedies[] = {
	{ 403,
	  "the token needs the permission 'issues: write' (in a workflow: 'permissions:')" },
	{ 410, "turn issues on in the repository's settings" },
};

/** A URL below /repos/OWNER/REPO/issues; the rest is already plain. */
_printf_(3, 4) static struct error *issues_url(const struct github *github,
					       char **ret, const char *format,
					       ...)
{
	_cleanup_free_ char *rest = NULL;
	va_list ap;
	int length;

	va_start(ap, format);
	length = vasprintf(&rest, format, ap);
	va_end(ap);
	if (length < 0) {
		rest = NULL;
		memory_exhausted();
	}
	*ret = string_format("%s/repos/%s/issues%s", github->api_url,
			     github->repository, rest);
	return NULL;
}

static struct error *answer_error(const struct github *github,
				  const struct http_request *request,
				  const struct http_response *response)
{
	for (size_t i = 0; i < array_size(remedies); i++) {
		_cleanup_error_ struct error *err = NULL;

		if (remedies[i].status != response->status)
			continue;
		err = http_response_error(request, response);
		return error_create(ERROR_OTHER, "%s; %s", error_message(err),
				    remedies[i].remedy);
	}
	return github_answer_error(github, request, response);
}

static struct error *get(const struct github *github, const char *url,
			 struct http_response *ret)
{
	struct error *err;
	const struct http_request request = {
		.url = url,
		.headers = headers,
		.token = github->token,
	};

	err = http_perform(github->http, &request, ret);
	if (!err && ret->status != 200)
		err = answer_error(github, &request, ret);
	return err;
}

/**
 * Send JSON, which is consumed.
 *
 * @param[in] once Doing it twice is not the same as doing it once, so what has
 * become of it is for the caller to see.
 */
static struct error *send(const struct github *github, const char *method,
			  const char *url, json_t *json, bool once,
			  struct http_response *ret)
{
	struct error *err;
	_cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	struct http_request request = {
		.method = method,
		.url = url,
		.headers = body_headers,
		.token = github->token,
		.body = text,
		.no_retry = once,
	};

	json_decref(json);
	if (!text)
		return error_create(ERROR_OTHER, "the text is not UTF-8");
	if (!github->token)
		return error_create(
			ERROR_USAGE,
			"writing to GitHub needs a token; set GITHUB_TOKEN to one with the permission 'issues: write'");
	request.body_size_bytes = strlen(text);
	err = http_perform(github->http, &request, ret);
	if (!err && ret->status != 200 && ret->status != 201)
		err = answer_error(github, &request, ret);
	return err;
}

struct error *github_list_issues(const struct github *github, const char *label,
				 struct github_issue_list *ret)
{
	struct error *err;
	_cleanup_github_issue_list_ struct github_issue_list list = { 0 };
	size_t count = PER_PAGE;

	for (int page = 1; page <= PAGES_MAX && count == PER_PAGE; page++) {
		_cleanup_http_response_ struct http_response response = { 0 };
		_cleanup_free_ char *url = NULL;

		err = issues_url(github, &url,
				 "?state=open&labels=%s&sort=created&direction=asc&per_page=%d&page=%d",
				 label, PER_PAGE, page);
		if (!err)
			err = get(github, url, &response);
		if (!err)
			err = github_parse_issues(response.body,
						  response.body_size_bytes,
						  label, &list, &count);
		if (err)
			return err;
	}
	*ret = list;
	list = (struct github_issue_list){ 0 };
	return NULL;
}

/** Where a token may make issues, but not label them, GitHub says nothing. */
static struct error *require_label(const struct github *github,
				   const struct github_issue *issue,
				   const char *label)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;

	if (issue->labelled)
		return NULL;
	err = issues_url(github, &url, "/%" PRIu64 "/labels", issue->number);
	if (err)
		return err;
	err = send(github, "POST", url, json_pack("{s:[s]}", "labels", label),
		   false, &response);
	return error_wrap(err, "label issue %" PRIu64, issue->number);
}

struct error *github_create_issue(const struct github *github,
				  const char *title, const char *body,
				  const char *label, uint64_t *number_ret)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_github_issue_ struct github_issue issue = { 0 };
	_cleanup_free_ char *url = NULL;

	err = issues_url(github, &url, "%s", "");
	if (!err)
		err = send(github, "POST", url,
			   json_pack("{s:s, s:s, s:[s]}", "title", title,
				     "body", body, "labels", label),
			   true, &response);
	if (!err)
		err = github_parse_issue(response.body, response.body_size_bytes,
					 label, &issue);
	if (!err)
		err = require_label(github, &issue, label);
	if (!err)
		*number_ret = issue.number;
	return err;
}

/** Change fields of an issue. @param[in] json Consumed. */
static struct error *patch_issue(const struct github *github, uint64_t number,
				 json_t *json)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;

	err = issues_url(github, &url, "/%" PRIu64, number);
	if (err) {
		json_decref(json);
		return err;
	}
	return send(github, "PATCH", url, json, false, &response);
}

struct error *github_update_issue(const struct github *github, uint64_t number,
				  const char *title, const char *body)
{
	return patch_issue(github, number,
			   json_pack("{s:s, s:s}", "title", title, "body", body));
}

struct error *github_close_issue(const struct github *github, uint64_t number)
{
	return patch_issue(github, number,
			   json_pack("{s:s, s:s}", "state", "closed",
				     "state_reason", "completed"));
}

struct error *github_comment_issue(const struct github *github, uint64_t number,
				   const char *body)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;

	err = issues_url(github, &url, "/%" PRIu64 "/comments", number);
	if (err)
		return err;
	return send(github, "POST", url, json_pack("{s:s}", "body", body), true,
		    &response);
}

struct error *github_issue_has_comment(const struct github *github,
				       uint64_t number, const char *body,
				       bool *ret)
{
	struct error *err;
	size_t count = PER_PAGE;

	*ret = false;
	for (int page = 1; page <= PAGES_MAX && count == PER_PAGE && !*ret;
	     page++) {
		_cleanup_http_response_ struct http_response response = { 0 };
		_cleanup_free_ char *url = NULL;

		err = issues_url(github, &url,
				 "/%" PRIu64 "/comments?per_page=%d&page=%d",
				 number, PER_PAGE, page);
		if (!err)
			err = get(github, url, &response);
		if (!err)
			err = github_find_comment(response.body,
						  response.body_size_bytes,
						  body, ret, &count);
		if (err)
			return err;
	}
	return NULL;
}
