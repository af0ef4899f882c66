// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/setup.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/string_list.h"
#include "common/process/process.h"
#include "vm/guest/share.h"

/** What a shell makes of the two lines. */
static char *evaluate(const struct setup *setup, const char *shell,
		      const char *print)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *program = NULL;
	char *output = NULL;

	cr_assert_null(setup_format(setup, &text));

	// Exactly two lines, whatever the words.
	char *first_end = strchr(text, '\n');

	cr_assert_not_null(first_end);
	cr_assert_eq(strchr(first_end + 1, '\n')[1], '\0');
	*first_end = '\0';
	cr_assert_gt(asprintf(&program, "n='\n'\neval \"$1\"\neval \"$2\"\n%s",
			      print),
		     0);

	const char *arguments[] = { shell, "-c",	  program, "sh",
				    text,  first_end + 1, NULL };
	const struct process_options options = { .arguments = arguments };

	cr_assert_null(process_capture(&options, 1 << 20, &output));
	return output;
}

Test(setup, a_shell_reads_back_all_words)
{
	static const char *const shells[] = { "/bin/sh", "/bin/bash" };
	static const char *const command[] = {
		"printf",	    "a b",   "",     "it's",
		"x\ny\n\nz",	    "$HOME", "`id`", "\\n\\",
		"\xc3\xa9\x81\xff", "-n",    "*",    NULL
	};
	struct string_list environment = STRING_LIST_INIT;
	struct share_plan shares = {
		.mounts = (char *)"a b 'c'\nd\n",
		.package = (char *)"/k #,\xff",
	};
	struct setup setup = {
		.shares = &shares,
		.directory = "/with space/and 'quote'\nand line",
		.environment = &environment,
		.command = (char *const *)command,
		.has_stdout = true,
		.rows = 24,
		.columns = 80,
	};

	string_list_add(&environment, "A=x y'\nz");
	string_list_add(&environment, "B=");
	string_list_add(&shares.directories, "/a b/c'd");
	string_list_add(&shares.directories, "/e");
	string_list_add(&shares.late_mounts, "/a\nb'\"\\ #%,:\xe9");
	string_list_add(&shares.late_mounts, "9p");
	for (size_t i = 0; i < array_size(shells); i++) {
		_cleanup_free_ char *words =
			evaluate(&setup, shells[i], "printf '<%s>' \"$@\"");
		_cleanup_free_ char *values = evaluate(
			&setup, shells[i],
			"printf '<%s>' \"$A\" \"$B\" \"$mounts\" \"$package\" \"$directory\" \"$stdin\" \"$stdout\" \"$rows $columns\"");
		_cleanup_free_ char *directories =
			evaluate(&setup, shells[i],
				 "eval \"set -- $directories\"; printf '<%s>' \"$@\"");
		_cleanup_free_ char *late =
			evaluate(&setup, shells[i],
				 "eval \"set -- $late_mounts\"; printf '<%s>' \"$@\"");

		cr_expect_str_eq(words,
				 "<printf><a b><><it's><x\ny\n\nz><$HOME><`id`><\\n\\><\xc3\xa9\x81\xff><-n><*>",
				 "%s", shells[i]);
		cr_expect_str_eq(values,
				 "<x y'\nz><><a b 'c'\nd\n></k #,\xff></with space/and 'quote'\nand line><><1><24 80>",
				 "%s", shells[i]);
		cr_expect_str_eq(directories, "</a b/c'd></e>", "%s", shells[i]);
		cr_expect_str_eq(late, "</a\nb'\"\\ #%,:\xe9><9p>", "%s",
				 shells[i]);
	}
	string_list_deinit(&environment);
	string_list_deinit(&shares.directories);
	string_list_deinit(&shares.late_mounts);
}

Test(setup, stderr_has_a_port_or_joins_stdout)
{
	static const struct {
		bool has_port, joins;
		const char *value;
	} rows[] = {
		{ false, false, "" },
		{ true, false, "1" },
		{ false, true, "stdout" },
	};
	static const char *const command[] = { "true", NULL };
	const struct string_list none = STRING_LIST_INIT;
	const struct share_plan shares = {
		.mounts = (char *)"",
		.package = (char *)"/k",
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct setup setup = {
			.shares = &shares,
			.directory = "/",
			.environment = &none,
			.command = (char *const *)command,
			.has_stderr = rows[i].has_port,
			.joins_stderr = rows[i].joins,
		};
		_cleanup_free_ char *value =
			evaluate(&setup, "/bin/sh", "printf %s \"$stderr\"");

		cr_expect_str_eq(value, rows[i].value);
	}
}

Test(setup, names_of_variables_are_checked)
{
	cr_expect(setup_is_variable_name("A"));
	cr_expect(setup_is_variable_name("_a1"));
	cr_expect_not(setup_is_variable_name(""));
	cr_expect_not(setup_is_variable_name("1a"));
	cr_expect_not(setup_is_variable_name("a;b"));
	cr_expect_not(setup_is_variable_name("a b"));
}

Test(setup, begins_with_what_init_looks_for)
{
	const struct string_list environment = STRING_LIST_INIT;
	static const char *const command[] = { "true", NULL };
	const struct share_plan shares = {
		.mounts = (char *)"",
		.package = (char *)"/k",
	};
	const struct setup setup = {
		.shares = &shares,
		.directory = "/",
		.environment = &environment,
		.command = (char *const *)command,
	};
	_cleanup_free_ char *text = NULL;

	cr_assert_null(setup_format(&setup, &text));
	cr_expect_eq(strncmp(text, "mounts=", strlen("mounts=")), 0);
}
