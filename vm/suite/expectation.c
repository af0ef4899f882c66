// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/expectation.h"

#include <fnmatch.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "vm/suite/suite.h"

void expectation_list_deinit(struct expectation_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		string_list_deinit(&list->items[i].archs);
		string_list_deinit(&list->items[i].flavors);
		free(list->items[i].pattern);
		free(list->items[i].reason);
	}
	free(list->items);
	*list = (struct expectation_list){ 0 };
}

static struct error *read_date(const struct value *value, void *ret)
{
	const char *text = json_string_value(value->json);
	struct tm date = { 0 };
	const char *end = text ? strptime(text, "%Y-%m-%d", &date) : NULL;

	// It also takes numbers with fewer digits, and spaces before them.
	if (!end || *end || strlen(text) != DATE_SIZE - 1 || strchr(text, ' '))
		return value_error(value, "expected a date, as 2027-01-31");
	memcpy(ret, text, DATE_SIZE);
	return NULL;
}

/** The last row is of splats alone. */
static const struct value_row rows[] = {
	VALUE_OPTIONAL("kernels", value_version_range, struct expectation,
		       kernels),
	VALUE_OPTIONAL("architectures", value_strings, struct expectation, archs),
	VALUE_OPTIONAL("flavors", value_strings, struct expectation, flavors),
	VALUE_REQUIRED("reason", value_copy, struct expectation, reason),
	VALUE_REQUIRED("until", read_date, struct expectation, until),
	VALUE_REQUIRED("pattern", value_copy, struct expectation, pattern),
};

static struct error *read_failure(const struct value *value, void *ret)
{
	return value_read_known(value, rows, array_size(rows) - 1, ret);
}

static struct error *read_splat(const struct value *value, void *ret)
{
	return value_read_known(value, rows, array_size(rows), ret);
}

struct error *value_expected_failures(const struct value *value, void *ret)
{
	return value_items(value, read_failure, sizeof(struct expectation), ret);
}

struct error *value_splats(const struct value *value, void *ret)
{
	static const struct value_row ignore[] = {
		VALUE_ITEMS("ignore", read_splat, struct expectation_list, items),
	};

	return value_read_known(value, ignore, array_size(ignore), ret);
}

static bool is_for(const struct expectation *row, const struct suite_item *item,
		   const char *splat)
{
	const struct release *release = &item->release;
	struct kernel_version version = release->version;
	const char *end;

	// A distribution's kernel has a version, if not one of our releases.
	if (!version.major)
		kernel_version_parse_prefix(item->name, &version, &end);
	return version_range_contains(&row->kernels, &version) &&
	       (!row->archs.count ||
		string_list_contains(&row->archs, item->arch)) &&
	       (!row->flavors.count ||
		string_list_contains(&row->flavors, release->flavor)) &&
	       (!splat || fnmatch(row->pattern, splat, 0) == 0);
}

const struct expectation *expectation_find(const struct expectation_list *list,
					   const struct suite_item *item,
					   const char *splat, const char *today,
					   bool *holds_ret)
{
	const struct expectation *found = NULL;

	*holds_ret = false;
	for (size_t i = 0; list && i < list->count && !*holds_ret; i++) {
		if (!is_for(&list->items[i], item, splat))
			continue;
		found = &list->items[i];
		*holds_ret = strcmp(today, found->until) <= 0;
	}
	return found;
}
