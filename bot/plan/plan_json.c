// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan_json.h"

#include <jansson.h>

#include "bot/plan/plan.h"
#include "common/base/error.h"
#include "common/base/memory.h"
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

void *plan_json(const struct plan *plan)
{
	json_t *array = json_array();

	for (size_t i = 0; i < plan->count; i++) {
		if (json_array_append_new(array, item_json(&plan->items[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/** @param[in] json Consumed; NULL if there was no memory for it. */
static struct error *format(json_t *json, size_t flags, char **ret)
{
	char *text = json ? json_dumps(json, flags) : NULL;

	json_decref(json);
	if (!text)
		memory_exhausted();
	*ret = text;
	return NULL;
}

struct error *plan_matrix_format(const struct plan *plan, char **ret)
{
	return format(json_pack("{s:o}", "include", plan_json(plan)),
		      JSON_COMPACT, ret);
}

struct error *plan_versions_format(const struct plan *plan, char **ret)
{
	json_t *array = json_array();

	for (size_t i = 0; i < plan->count; i++) {
		const struct kernel_version *version =
			&plan->items[i].release.version;
		char text[KERNEL_VERSION_TEXT_SIZE];

		// Items are in the order of their versions.
		if (i &&
		    kernel_version_compare(version,
					   &plan->items[i - 1].release.version) ==
			    0)
			continue;
		kernel_version_format(version, text);
		if (json_array_append_new(array, json_pack("{s:s}", "version",
							   text)) < 0) {
			json_decref(array);
			memory_exhausted();
		}
	}
	return format(json_pack("{s:o}", "include", array), JSON_COMPACT, ret);
}

struct error *plan_document_format(const struct plan *plan, char **ret)
{
	return format(json_pack("{s:o, s:I}", "include", plan_json(plan),
				"left_out", (json_int_t)plan->left_out),
		      JSON_INDENT(2), ret);
}
