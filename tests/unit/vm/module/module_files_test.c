// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/module.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "tests/unit/errors.h"
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

/** The digest of a source, of which a copy is made beside it. */
static void copy(const char *source, const char *name,
		 char text_ret[static DIGEST_TEXT_SIZE])
{
	_cleanup_free_ char *to = string_format("%s.%s", source, name);

	cr_assert_null(module_source_copy(source, to, text_ret));
}

Test(module_files, digest_depends_on_what_make_reads)
{
	static const struct {
		const char *name, *text;
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
		_cleanup_directory_ char *first = string_format("%s.1", source);
		_cleanup_directory_ char *second = string_format("%s.2", source);
		char before[DIGEST_TEXT_SIZE], after[DIGEST_TEXT_SIZE];

		copy(source, "1", before);
		put_file(source, rows[i].name, rows[i].text);
		copy(source, "2", after);
		cr_expect_eq(strcmp(before, after) != 0, rows[i].changes, "%s",
			     rows[i].name);
	}
}

Test(module_files, copy_follows_links_and_has_the_same_digest)
{
	_cleanup_directory_ char *source = create_source();
	_cleanup_directory_ char *other = create_source();
	_cleanup_directory_ char *first = string_format("%s.1", source);
	_cleanup_directory_ char *second = string_format("%s.1", first);
	_cleanup_free_ char *link = path_join(source, "linked");
	_cleanup_free_ char *dangling = path_join(source, "dangling");
	char before[DIGEST_TEXT_SIZE], after[DIGEST_TEXT_SIZE];

	cr_assert_eq(symlink(other, link), 0);
	cr_assert_eq(symlink("/no/such", dangling), 0);
	put_file(source, "m.o", "old");
	copy(source, "1", before);
	copy(first, "1", after);
	cr_expect_str_eq(before, after);
	expect_contents(first, "linked/m.c", "int m;\n");
}

Test(module_files, a_directory_without_a_makefile_is_none)
{
	static const char *const paths[] = { "/no/such", "/usr/share/doc/libc6" };

	interrupt_catch();
	for (size_t i = 0; i < array_size(paths); i++) {
		char text[DIGEST_TEXT_SIZE];

		expect_kind(module_source_copy(paths[i], "/no/such/copy", text),
			    ERROR_USAGE, paths[i]);
	}
}

/** A package's directory whose fixdep has these bytes. */
static char *package_with(const void *data, size_t size_bytes)
{
	char root[] = "/tmp/module_package_test.XXXXXX";

	interrupt_catch();
	cr_assert(mkdtemp(root));
	put_file(root, "build/scripts/basic/fixdep", "");
	_cleanup_free_ char *program =
		path_join(root, "build/scripts/basic/fixdep");
	cr_assert_null(file_write(program, data, size_bytes));
	cr_assert_eq(chmod(program, 0755), 0);
	return string_copy(root);
}

Test(module_files, host_programs_of_this_machine_and_none_are_fine)
{
	static const char script[] = "#!/bin/sh\nexit 1\n";
	_cleanup_free_ char *self = NULL;
	size_t size;

	cr_assert_null(file_read("/proc/self/exe", 64 << 20, &self, &size));
	_cleanup_directory_ char *ours = package_with(self, size);
	_cleanup_directory_ char *other = package_with(script, strlen(script));
	cr_expect_null(host_programs_check(ours));
	cr_expect_null(host_programs_check(other));
	cr_expect_null(host_programs_check("/nonexistent"));
}

Test(module_files, host_programs_of_other_machines_are_named)
{
	static const struct {
		unsigned char class, data, machine[2];
		const char *name;
	} cases[] = {
		{ ELFCLASS32, ELFDATA2LSB, { EM_386, 0 }, "for i686," },
		{ ELFCLASS64, ELFDATA2MSB, { 0, EM_S390 }, "for s390x," },
		{ ELFCLASS64, ELFDATA2MSB, { 0, EM_PPC64 }, "for unknown," },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		// Neither this machine nor an emulator can run so little.
		unsigned char program[20] = {
			0x7f, 'E', 'L', 'F', cases[i].class, cases[i].data, 1,
		};

		memcpy(program + 18, cases[i].machine, 2);
		_cleanup_directory_ char *package =
			package_with(program, sizeof(program));
		expect_failure(host_programs_check(package), cases[i].name);
	}
}
