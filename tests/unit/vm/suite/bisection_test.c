// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/bisection.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/kernel/repository.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

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

Test(bisection, what_an_author_has_written_is_shown_as_text, .init = enter_tmp,
     .fini = teardown_tmp)
{
	static const char *const commands[][9] = {
		{ "init", "--quiet" },
		{ "-c", "user.name=x", "-c", "user.email=x", "commit", "--quiet",
		  "--allow-empty", "--message=a\033]0;b\a\r::error::c" },
	};
	const struct bisection bisect = { .repository = tmp };
	_cleanup_free_ char *subject = NULL;

	interrupt_catch();
	setenv("HOME", tmp, 1);
	for (size_t i = 0; i < array_size(commands); i++)
		expect_success(repository_run(tmp, NULL, commands[i], NULL));
	expect_success(bisection_show(&bisect, "%s", "HEAD", &subject));
	cr_expect_str_eq(subject, "a?]0;b??::error::c");
}
