// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/lost_options.h"

#include <stddef.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "common/store/store.h"

enum {
	/** As many fit into a cell of a table; the package names all. */
	NAMES_MAX = 5,
};

static const char separator[] = " without ";

char *lost_options_format(const struct string_list *lost)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	for (size_t i = 0; i < lost->count && i < NAMES_MAX; i++)
		string_builder_appendf(&sb, "%s%s", i ? ", " : separator + 1,
				       lost->items[i]);
	if (lost->count > NAMES_MAX)
		string_builder_appendf(&sb, " and %zu more",
				       lost->count - NAMES_MAX);
	return string_builder_take(&sb);
}

char *lost_options_label(const char *asset_name, const struct string_list *lost)
{
	if (!lost->count)
		return NULL;
	_cleanup_free_ char *text = lost_options_format(lost);
	return string_format("%s %s", asset_name, text);
}

const char *lost_options_of_asset(const struct asset *asset)
{
	size_t length = strlen(asset->name);

	if (!asset->label || strncmp(asset->label, asset->name, length) != 0 ||
	    strncmp(asset->label + length, separator, strlen(separator)) != 0)
		return "";
	return asset->label + length + 1;
}
