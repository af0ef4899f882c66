// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/text.h"

enum {
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

/** Any value at all. */
static struct error *read_presence(const struct value *value, void *ret)
{
	*(bool *)ret = value->json;
	return NULL;
}

static const struct value_row rows[] = {
	VALUE_NUMBER("number", 1, INT64_MAX, struct github_issue, number),
	VALUE_OPTIONAL("body", value_copy, struct github_issue, body),
	VALUE_OPTIONAL("pull_request", read_presence, struct github_issue,
		       is_pull_request),
};

struct error *github_read_issue(const struct value *value, void *ret)
{
	struct github_issue *issue = ret;
	struct error *err = value_read(value, rows, array_size(rows), issue);

	if (!err && !issue->body)
		issue->body = string_copy("");
	return err;
}

struct error *github_list_issues(const struct github *github, const char *label,
				 struct github_issue_list *ret)
{
	struct error *err;
	_cleanup_github_issue_list_ struct github_issue_list all = { 0 };
	struct github_issue_list issues = { 0 };

	err = github_list(github, PAGES_MAX, github_read_issue,
			  sizeof(*all.items), &all,
			  "/issues?state=open&labels=%s&sort=created&direction=asc&",
			  label);
	if (err)
		return err;
	for (size_t i = 0; i < all.count; i++) {
		if (!all.items[i].is_pull_request)
			vector_add(&issues) = take(all.items[i]);
	}
	*ret = issues;
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
	err = github_read_issue(&answer, &issue);
	if (err)
		return err;
	// Where a token may make issues, but not label them, GitHub says nothing.
	if (!has_label(answer.json, label)) {
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
