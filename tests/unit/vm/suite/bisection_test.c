// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/bisection.h"

#include <criterion/criterion.h>

Test(bisection, a_log_tells_its_end)
{
	static const struct {
		const char *log;
		size_t count;
		bool is_certain;
	} rows[] = {
		{ "", 0, false },
		{ "git bisect start '--no-checkout' 'b' 'a'\n"
		  "# good: [c] first bad commit: [x]\ngit bisect good c\n",
		  0, false },
		{ "# bad: [b] B\n# first bad commit: [b] B [ and more\n", 1,
		  true },
		{ "# first bad commit: [b]", 1, true },
		{ "# only skipped commits left to test\n"
		  "# possible first bad commit: [b] B\n"
		  "# possible first bad commit: [c] C\n",
		  2, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		_cleanup_bisection_end_ struct bisection_end end;

		cr_expect_eq(bisection_read_end(rows[i].log, &end),
			     rows[i].count > 0, "%zu", i);
		cr_expect_eq(end.commits.count, rows[i].count, "%zu", i);
		cr_expect_eq(end.is_certain, rows[i].is_certain, "%zu", i);
		if (end.commits.count)
			cr_expect_str_eq(end.commits.items[0], "b", "%zu", i);
	}
}
