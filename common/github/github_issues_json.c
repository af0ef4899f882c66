// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_issues_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/github/github_json.h"

void github_issue_deinit(struct github_issue *issue)
{
	free(issue->body);
	*issue = (struct github_issue){ 0 };
}

void github_issue_list_deinit(struct github_issue_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		github_issue_deinit(&list->items[i]);
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

	_cleanup_github_issue_ struct github_issue issue = { 0 };
	err = value_read(value, rows, array_size(rows), &issue);
	if (err)
		return err;
	if (!issue.body)
		issue.body = string_copy("");
	issue.labelled = has_label(value->json, label);
	*ret = take(issue);
	return NULL;
}

struct error *github_parse_issue(const char *text, size_t size,
				 const char *label, struct github_issue *ret)
{
	struct error *err;

	_cleanup_value_ struct value document = { 0 };
	err = github_parse(text, size, &document);
	if (err)
		return err;
	return read_issue(&document, label, ret);
}

/** A page of a list. */
static struct error *parse_list(const char *text, size_t size,
				struct value *document, size_t *count_ret)
{
	struct error *err;

	err = github_parse(text, size, document);
	if (err)
		return err;
	if (!json_is_array(document->json))
		return value_error(document, "expected a list");
	*count_ret = json_array_size(document->json);
	return NULL;
}

struct error *github_parse_issues(const char *text, size_t size,
				  const char *label,
				  struct github_issue_list *list,
				  size_t *count_ret)
{
	struct error *err;
	size_t count;

	_cleanup_value_ struct value document = { 0 };
	err = parse_list(text, size, &document, &count);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		const struct value item = value_item(&document, i);
		struct github_issue issue;

		if (json_object_get(item.json, "pull_request"))
			continue;
		err = read_issue(&item, label, &issue);
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

struct error *github_find_comment(const char *text, size_t size, const char *body,
				  bool *found_ret, size_t *count_ret)
{
	struct error *err;
	bool found = false;
	size_t count;

	_cleanup_value_ struct value document = { 0 };
	err = parse_list(text, size, &document, &count);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		const struct value item = value_item(&document, i);
		const char *comment;

		err = read_comment(&item, &comment);
		if (err)
			return err;
		found |= strcmp(comment, body) == 0;
	}
	*found_ret = found;
	*count_ret = count;
	return NULL;
}
