// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/path.h"

#include <criterion/criterion.h>

Test(path, joins_with_one_slash)
{
	static const struct {
		const char *directory, *name, *path;
	} cases[] = {
		{ "a", "b", "a/b" }, { "a/", "b", "a/b" },
		{ "/", "b", "/b" },  { "a", "/b", "/b" },
		{ "", "b", "b" },    { "a//", "b", "a/b" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_free_ char *path = NULL;

		path = path_join(cases[i].directory, cases[i].name);
		cr_expect_str_eq(path, cases[i].path);
	}
}
