// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/module_files.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "tests/unit/files.h"

static char *create_source(void)
{
	char directory[] = "/tmp/module_source test.XXXXXX";

	interrupt_catch();
	cr_assert(mkdtemp(directory));
	put_file(directory, "Makefile", "obj-m := m.o\n");
	put_file(directory, "m.c", "int m;\n");
	return string_copy(directory);
}

Test(module_files, digest_depends_on_what_make_reads)
{
	static const struct {
		const char *name;
		const char *text;
		bool changes;
	} rows[] = {
		{ "m.c", "int n;\n", true },
		{ "new.h", "", true },
		{ "sub/new.c", "", true },
		{ "m.o", "old", false },
		{ "m.ko", "old", false },
		{ ".m.o.cmd", "old", false },
		{ "modules.order", "old", false },
		{ "sub/m.mod.c", "old", false },
		{ ".git/HEAD", "ref", false },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_directory_ char *source = create_source();
		char before[DIGEST_TEXT_SIZE];
		char after[DIGEST_TEXT_SIZE];

		cr_assert_null(module_source_digest(source, before));
		put_file(source, rows[i].name, rows[i].text);
		cr_assert_null(module_source_digest(source, after));
		cr_expect_eq(strcmp(before, after) != 0, rows[i].changes, "%s",
			     rows[i].name);
	}
}

Test(module_files, copy_follows_links_and_has_the_same_digest)
{
	_cleanup_directory_ char *source = create_source();
	_cleanup_directory_ char *other = create_source();
	_cleanup_free_ char *link = NULL;
	_cleanup_free_ char *dangling = NULL;
	_cleanup_free_ char *copy = NULL;
	_cleanup_free_ char *linked = NULL;
	char before[DIGEST_TEXT_SIZE];
	char after[DIGEST_TEXT_SIZE];

	link = path_join(source, "linked");
	dangling = path_join(source, "dangling");
	cr_assert_eq(symlink(other, link), 0);
	cr_assert_eq(symlink("/no/such", dangling), 0);
	put_file(source, "m.o", "old");
	copy = path_join(other, "copy");
	cr_assert_null(module_source_digest(source, before));
	cr_assert_null(module_source_copy(source, copy));
	cr_assert_null(module_source_digest(copy, after));
	cr_expect_str_eq(before, after);
	linked = path_join(copy, "linked/m.c");
	cr_expect(file_exists(linked));
}

Test(module_files, a_directory_without_a_makefile_is_none)
{
	static const char *const paths[] = { "/no/such", "/usr/share/doc/libc6" };

	interrupt_catch();
	for (size_t i = 0; i < array_size(paths); i++) {
		char text[DIGEST_TEXT_SIZE];
		_cleanup_error_ struct error *err =
			module_source_digest(paths[i], text);

		cr_assert(err, "%s", paths[i]);
		cr_expect(error_is(err, ERROR_USAGE), "%s", error_message(err));
	}
}
