// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_issues_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/memory.h"

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

/** Text from outside is not repeated: it may be anything. */
static struct error *refuse(const char *what)
{
	return error_create(ERROR_OTHER,
			    "GitHub's answer is not what its API describes: %s",
			    what);
}

static struct error *parse(const char *text, size_t size, json_t **ret)
{
	*ret = json_loadb(text, size, 0, NULL);
	return *ret ? NULL
		    : refuse("no JSON; it may be cut short, or a proxy's: try again");
}

/** The text of an issue or a comment, which may be null. */
static struct error *get_body(const json_t *object, const char **ret)
{
	const json_t *body = json_object_get(object, "body");

	*ret = "";
	if (!body || json_is_null(body))
		return NULL;
	if (!json_is_string(body))
		return refuse("body is not a string");
	*ret = json_string_value(body);
	return NULL;
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

static struct error *read_issue(const json_t *object, const char *label,
				struct github_issue *ret)
{
	struct error *err;
	const json_t *number = json_object_get(object, "number");
	const char *body;

	if (!json_is_integer(number) || json_integer_value(number) <= 0)
		return refuse("an issue has no number");
	err = get_body(object, &body);
	if (err)
		return err;
	*ret = (struct github_issue){
		.number = (uint64_t)json_integer_value(number),
		.body = strdup(body),
		.labelled = has_label(object, label),
	};
	if (!ret->body)
		memory_exhausted();
	return NULL;
}

struct error *github_parse_issue(const char *text, size_t size,
				 const char *label, struct github_issue *ret)
{
	struct error *err;
	_cleanup_json_ json_t *json = NULL;

	err = parse(text, size, &json);
	if (err)
		return err;
	return read_issue(json, label, ret);
}

static struct error *add_issue(struct github_issue_list *list,
			       const json_t *object, const char *label)
{
	struct error *err;
	struct github_issue *items =
		memory_resize(list->items, list->count + 1, sizeof(*items));
	list->items = items;
	err = read_issue(object, label, &items[list->count]);
	if (!err)
		list->count++;
	return err;
}

struct error *github_parse_issues(const char *text, size_t size,
				  const char *label,
				  struct github_issue_list *list,
				  size_t *count_ret)
{
	struct error *err;
	_cleanup_json_ json_t *json = NULL;
	const json_t *item;
	size_t i;

	err = parse(text, size, &json);
	if (err)
		return err;
	if (!json_is_array(json))
		return refuse("the list of issues is not an array");
	json_array_foreach(json, i, item)
	{
		if (json_object_get(item, "pull_request"))
			continue;
		err = add_issue(list, item, label);
		if (err)
			return err;
	}
	*count_ret = json_array_size(json);
	return NULL;
}

struct error *github_find_comment(const char *text, size_t size, const char *body,
				  bool *found_ret, size_t *count_ret)
{
	struct error *err;
	_cleanup_json_ json_t *json = NULL;
	const json_t *item;
	size_t i;

	err = parse(text, size, &json);
	if (err)
		return err;
	if (!json_is_array(json))
		return refuse("the list of comments is not an array");
	*found_ret = false;
	json_array_foreach(json, i, item)
	{
		const char *found;

		err = get_body(item, &found);
		if (err)
			return err;
		*found_ret |= strcmp(found, body) == 0;
	}
	*count_ret = json_array_size(json);
	return NULL;
}
