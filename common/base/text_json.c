// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/text_json.h"

#include <jansson.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/string_builder.h"
#include "common/base/utf8.h"

struct json_t *text_json(const char *text)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *clean = NULL;
	size_t size = text ? strlen(text) : 0;

	if (!text)
		return json_null();
	for (size_t i = 0; i < size;) {
		size_t length = utf8_length(text + i, size - i);

		if (length)
			string_builder_append_n(&sb, text + i, length);
		else
			string_builder_append(&sb, UTF8_REPLACEMENT);
		i += length ? length : 1;
	}
	clean = string_builder_take(&sb);
	return clean ? json_string(clean) : NULL;
}
