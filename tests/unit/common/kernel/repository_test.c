// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/repository.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static void setup(void)
{
	static const char *const init[] = { "init", "--quiet", NULL };

	interrupt_catch();
	enter_tmp();
	setenv("HOME", tmp, 1);
	expect_success(repository_run(tmp, NULL, init, NULL));
}

TestSuite(repository, .init = setup, .fini = teardown_tmp);

/** But for what an attribute asks for, without which files are not what they are. */
Test(repository, what_it_names_is_not_run)
{
	static const char *const keys[] = { "core.fsmonitor", "core.pager",
					    "core.editor" };
	static const char *const add[] = { "add", "--all", NULL };
	static const char *const log[] = { "rev-parse", "--git-dir", NULL };
	_cleanup_free_ char *program = in_tmp("program");
	_cleanup_free_ char *script =
		string_format("#!/bin/sh\necho x >>%s/ran\n", tmp);
	_cleanup_free_ char *directory = NULL;

	put_program(tmp, "program", script);
	put_program(tmp, ".git/hooks/post-index-change", script);
	for (size_t i = 0; i < array_size(keys); i++) {
		const char *const words[] = { "config", keys[i], program, NULL };

		expect_success(repository_run(tmp, NULL, words, NULL));
	}
	expect_success(repository_run(tmp, NULL, add, NULL));
	expect_success(repository_run(tmp, NULL, log, &directory));
	cr_expect_str_eq(directory, ".git");
	cr_expect_not(is_there(tmp, "ran"));
}

Test(repository, what_looks_like_an_option_is_a_name)
{
	static const char *const names[] = {
		"--output=ran", "-h", "", "a b", "$(touch ran)", "x\033[2J"
	};

	for (size_t i = 0; i < array_size(names); i++) {
		_cleanup_free_ char *commit = NULL;

		expect_kind(repository_find_commit(tmp, names[i], &commit),
			    ERROR_USAGE, "git finds no commit");
	}
	cr_expect_not(is_there(tmp, "ran"));
}
