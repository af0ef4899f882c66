// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/planned.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"

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
