// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan_json.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bot/plan/plan.h"
#include "common/base/json.h"
#include "common/kernel/catalog.h"

static json_t *item_json(const struct plan_item *item)
{
	char version[KERNEL_VERSION_TEXT_SIZE], series[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format(&item->release.version, version);
	kernel_version_format_series(&item->release.version, series);
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "release",
			 item->release_text, "version", version, "series", series,
			 "arch", item->arch->name, "flavor", item->flavor->name);
}

struct json_t *plan_json(const struct plan *plan)
{
	json_t *array = json_array();

	for (size_t i = 0; i < plan->count; i++)
		json_array_append_new(array, item_json(&plan->items[i]));
	return array;
}

char *plan_matrix_format(const struct plan *plan)
{
	return json_text(json_pack("{s:o}", "include", plan_json(plan)),
			 JSON_COMPACT);
}

char *plan_versions_format(const struct plan *plan)
{
	json_t *array = json_array();

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];
		char text[KERNEL_VERSION_TEXT_SIZE];

		// Items are in the order of their versions.
		if (i && kernel_version_compare(&item[0].release.version,
						&item[-1].release.version) == 0)
			continue;
		kernel_version_format(&item->release.version, text);
		json_array_append_new(array, json_pack("{s:s}", "version", text));
	}
	return json_text(json_pack("{s:o}", "include", array), JSON_COMPACT);
}

char *plan_document_format(const struct plan *plan)
{
	return json_text(json_pack("{s:o, s:I}", "include", plan_json(plan),
				   "left_out", (json_int_t)plan->left_out),
			 JSON_INDENT(2));
}

void planned_list_deinit(struct planned_list *list)
{
	free(list->items);
	*list = (struct planned_list){ 0 };
}

static struct error *read_planned(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		VALUE_REQUIRED("release", value_release, struct planned, release),
		VALUE_REQUIRED("arch", value_arch, struct planned, arch),
	};
	struct error *err;

	struct planned *planned = ret;
	err = value_read(value, rows, array_size(rows), planned);
	if (err)
		return err;
	release_format(&planned->release, planned->release_text);
	return NULL;
}

struct error *planned_list_parse(const char *text, const char *name,
				 struct planned_list *ret)
{
	// clang-format off
	static const struct value_row rows[] = {
		VALUE_ITEMS("include", read_planned, struct planned_list, items),
		VALUE_OPTIONAL_NUMBER("left_out", 0, INT_MAX, struct planned_list, left_out),
	};
	// clang-format on
	struct error *err;

	_cleanup_value_ struct value document = { 0 };
	err = value_parse(text, strlen(text), name, ERROR_USAGE, &document);
	if (err)
		return err;
	_cleanup_planned_list_ struct planned_list list = { 0 };
	err = value_read(&document, rows, array_size(rows), &list);
	if (err)
		return err;
	*ret = take(list);
	return NULL;
}
