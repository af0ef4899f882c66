// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/planned.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"

static void cleanup_json(json_t **json)
{
	json_decref(*json);
}

#define _cleanup_json_ _cleanup_(cleanup_json)

void planned_list_deinit(struct planned_list *list)
{
	free(list->items);
	*list = (struct planned_list){ 0 };
}

/** @return Whether it is an item of a plan. */
static bool read_item(const json_t *json, struct planned *ret)
{
	const char *release = json_string_value(json_object_get(json, "release"));
	const char *arch = json_string_value(json_object_get(json, "arch"));
	char name[PACKAGE_NAME_SIZE];
	struct release parsed;

	if (!release || !arch || strlen(arch) >= sizeof(ret->arch) ||
	    !release_parse(release, &ret->release))
		return false;
	release_format(&ret->release, ret->release_text);
	// A package's name is strict about what an architecture may be.
	package_name_format(ret->release_text, arch, name);
	return package_name_parse(name, &parsed, ret->arch) &&
	       strcmp(ret->arch, arch) == 0;
}

struct error *planned_list_parse(const char *text, const char *name,
				 struct planned_list *ret)
{
	_cleanup_planned_list_ struct planned_list list = { 0 };
	json_error_t problem;
	_cleanup_json_ json_t *root =
		json_loads(text, JSON_REJECT_DUPLICATES, &problem);
	const json_t *include = json_object_get(root, "include");
	const json_t *left_out = json_object_get(root, "left_out");
	const json_t *item;
	size_t i;

	if (!root)
		return error_create(ERROR_USAGE, "%s: no JSON: line %d: %s",
				    name, problem.line, problem.text);
	if (!json_is_array(include))
		return error_create(ERROR_USAGE,
				    "%s: no plan: \"include\" is no list; 'vmtest-bot plan --output' writes one",
				    name);
	list.items = memory_allocate(json_array_size(include) + 1,
				     sizeof(*list.items));
	json_array_foreach(include, i, item)
	{
		if (!read_item(item, &list.items[list.count++]))
			return error_create(ERROR_USAGE,
					    "%s: no plan: item %zu names no release and architecture",
					    name, i + 1);
	}
	if (json_integer_value(left_out) > 0)
		list.left_out = (size_t)json_integer_value(left_out);
	*ret = list;
	list = (struct planned_list){ 0 };
	return NULL;
}
