// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/text_json.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include "common/base/error.h"

Test(text_json, any_bytes_become_a_string)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
		{ "", "" },
		{ "/tmp/it's \"x\", #1%\\\n", "/tmp/it's \"x\", #1%\\\n" },
		{ "\xc3\xa9\xe2\x82\xac", "\xc3\xa9\xe2\x82\xac" },
		{ "/\xe9t\xe9", "/\xef\xbf\xbdt\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		json_t *json = text_json(rows[i].in);

		cr_assert(json_is_string(json), "row %zu", i);
		cr_expect_str_eq(json_string_value(json), rows[i].out,
				 "row %zu", i);
		json_decref(json);
	}
}

Test(text_json, no_text_is_null)
{
	cr_expect(json_is_null(text_json(NULL)));
}
