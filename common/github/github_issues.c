// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_issues.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/github/github.h"
#include "common/github/github_json.h"

enum {
	PER_PAGE = 100,
	/** Many more issues than there are series. */
	PAGES_MAX = 50,
};

static void issue_deinit(struct github_issue *issue)
{
	free(issue->body);
}

#define _cleanup_issue_ _cleanup_(issue_deinit)

void github_issue_list_deinit(struct github_issue_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		issue_deinit(&list->items[i]);
	free(list->items);
	*list = (struct github_issue_list){ 0 };
}

static bool has_label(const json_t *object, const char *wanted)
{
	const json_t *label;
	size_t i;

	json_array_foreach(json_object_get(object, "labels"), i, label)
	{
		// GitHub describes both forms.
		const char *name = json_string_value(
			json_is_object(label) ? json_object_get(label, "name")
					      : label);

		if (name && strcmp(name, wanted) == 0)
			return true;
	}
	return false;
}

static const struct value_row rows[] = {
	VALUE_NUMBER("number", 1, INT64_MAX, struct github_issue, number),
	VALUE_OPTIONAL("body", value_copy, struct github_issue, body),
};

static struct error *read_issue(const struct value *value, const char *label,
				struct github_issue *ret)
{
	struct error *err;

	_cleanup_issue_ struct github_issue issue = { 0 };
	err = value_read(value, rows, array_size(rows), &issue);
	if (err)
		return err;
	if (!issue.body)
		issue.body = string_copy("");
	issue.labelled = has_label(value->json, label);
	*ret = take(issue);
	return NULL;
}

struct error *github_read_issues(const struct value *page, const char *label,
				 struct github_issue_list *list,
				 size_t *count_ret)
{
	size_t count = json_array_size(page->json);

	if (!json_is_array(page->json))
		return value_error(page, "expected a list");
	for (size_t i = 0; i < count; i++) {
		const struct value item = value_item(page, i);
		struct github_issue issue;

		if (json_object_get(item.json, "pull_request"))
			continue;

		struct error *err = read_issue(&item, label, &issue);

		if (err)
			return err;
		vector_add(list) = issue;
	}
	*count_ret = count;
	return NULL;
}

/** Its text, which may be null; borrowed. */
static struct error *read_comment(const struct value *value, const char **ret)
{
	static const struct value_row row[] = {
		{ .key = "body", .read = value_string, .optional = true },
	};

	*ret = "";
	return value_read(value, row, 1, ret);
}

struct error *github_find_comment(const struct value *page, const char *body,
				  bool *found_ret, size_t *count_ret)
{
	bool found = false;
	size_t count = json_array_size(page->json);

	if (!json_is_array(page->json))
		return value_error(page, "expected a list");
	for (size_t i = 0; i < count; i++) {
		const struct value item = value_item(page, i);
		const char *comment;
		struct error *err = read_comment(&item, &comment);

		if (err)
			return err;
		found |= strcmp(comment, body) == 0;
	}
	*found_ret = found;
	*count_ret = count;
	return NULL;
}

struct error *github_list_issues(const struct github *github, const char *label,
				 struct github_issue_list *ret)
{
	_cleanup_github_issue_list_ struct github_issue_list list = { 0 };
	size_t count = PER_PAGE;

	for (int page = 1; page <= PAGES_MAX && count == PER_PAGE; page++) {
		struct error *err;
		_cleanup_value_ struct value answer = { 0 };

		err = github_call(github, GITHUB_GET, NULL, &answer,
				  "/issues?state=open&labels=%s&sort=created&direction=asc&per_page=%d&page=%d",
				  label, PER_PAGE, page);
		if (err)
			return err;
		err = github_read_issues(&answer, label, &list, &count);
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
	_cleanup_value_ struct value answer = { 0 };
	_cleanup_issue_ struct github_issue issue = { 0 };

	err = github_call(github, GITHUB_POST_ONCE,
			  json_pack("{s:s, s:s, s:[s]}", "title", title, "body",
				    body, "labels", label),
			  &answer, "/issues");
	if (err)
		return err;
	err = read_issue(&answer, label, &issue);
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
		_cleanup_value_ struct value answer = { 0 };

		err = github_call(github, GITHUB_GET, NULL, &answer,
				  "/issues/%" PRIu64
				  "/comments?per_page=%d&page=%d",
				  number, PER_PAGE, page);
		if (err)
			return err;
		err = github_find_comment(&answer, body, ret, &count);
		if (err)
			return err;
	}
	return NULL;
}
