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
#include "common/base/text.h"
#include "common/process/sandbox.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

/** A source, in a directory whose name has a space. */
static char *source;

static void setup(void)
{
	interrupt_catch();
	setup_tmp();
	source = in_tmp("a source");
	put_file(source, "Makefile", "obj-m := m.o\n");
	put_file(source, "m.c", "int m;\n");
}

static void teardown(void)
{
	free(source);
	teardown_tmp();
}

TestSuite(module_files, .init = setup, .fini = teardown);

/** The digest of a source, of which a copy is made. */
static void copy(const char *from, const char *name,
		 char text_ret[static DIGEST_TEXT_SIZE])
{
	_cleanup_free_ char *to = in_tmp(name);

	expect_success(module_source_copy(from, to, text_ret));
	expect_success(directory_remove(to));
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
	char before[DIGEST_TEXT_SIZE], after[DIGEST_TEXT_SIZE];

	copy(source, "copy", before);
	for (size_t i = 0; i < array_size(rows); i++) {
		put_file(source, rows[i].name, rows[i].text);
		copy(source, "copy", after);
		cr_expect_eq(strcmp(before, after) != 0, rows[i].changes, "%s",
			     rows[i].name);
		strcpy(before, after);
	}
}

Test(module_files, copy_follows_links_and_has_the_same_digest)
{
	_cleanup_free_ char *other = in_tmp("other");
	_cleanup_free_ char *first = in_tmp("first");
	_cleanup_free_ char *link = path_join(source, "linked");
	_cleanup_free_ char *dangling = path_join(source, "dangling");
	char before[DIGEST_TEXT_SIZE], after[DIGEST_TEXT_SIZE];

	put_file(other, "m.c", "int m;\n");
	cr_assert_eq(symlink(other, link), 0);
	cr_assert_eq(symlink("/no/such", dangling), 0);
	put_file(source, "m.o", "old");
	expect_success(module_source_copy(source, first, before));
	copy(first, "second", after);
	cr_expect_str_eq(before, after);
	expect_contents(first, "linked/m.c", "int m;\n");
}

Test(module_files, a_directory_without_a_makefile_is_none)
{
	static const char *const paths[] = { "/no/such", "/usr/share/doc/libc6" };

	for (size_t i = 0; i < array_size(paths); i++) {
		char text[DIGEST_TEXT_SIZE];

		expect_kind(module_source_copy(paths[i], "/no/such/copy", text),
			    ERROR_USAGE, paths[i]);
	}
}

static struct error *check_programs(void)
{
	const struct string_list nothing = { 0 };
	_cleanup_sandbox_ struct sandbox sandbox = { .ruleset_fd = -1 };
	struct error *err = sandbox_init(&nothing, tmp, &sandbox);

	return err ? err : host_programs_check(tmp, &sandbox);
}

/** Check a package whose fixdep has these bytes. */
static struct error *check(const void *data, size_t size_bytes)
{
	static const char name[] = "build/scripts/basic/fixdep";
	_cleanup_free_ char *program = in_tmp(name);

	put_file(tmp, name, "");
	expect_success(file_write(program, data, size_bytes));
	cr_assert_eq(chmod(program, 0755), 0);
	return check_programs();
}

Test(module_files, host_programs_of_this_machine_and_none_are_fine)
{
	static const char script[] = "#!/bin/sh\nexit 1\n";
	_cleanup_free_ char *self = NULL;
	size_t size;

	expect_success(check_programs());
	expect_success(file_read("/proc/self/exe", 64 << 20, &self, &size));
	expect_success(check(self, size));
	expect_success(check(script, strlen(script)));
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
		expect_failure(check(program, sizeof(program)), cases[i].name);
	}
}

Test(module_files, what_a_build_left_elsewhere_is_no_module)
{
	static const struct {
		const char *order, *link, *to, *message;
	} rows[] = {
		{ "m.o\n", "m.ko", "../secret", "no file of its own" },
		{ "sub/m.o\n", "sub", "../elsewhere", "did not make m.ko" },
		{ NULL, "modules.order", "../secret", "no file of its own" },
		{ "m.o\n", "m.ko", NULL, "no file of its own" },
		{ NULL, "modules.order", NULL, "no file of its own" },
	};

	put_file(tmp, "secret", "m.o\n");
	put_file(tmp, "elsewhere/m.ko", "secret");
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *built = path_joinf(tmp, "built%zu", i);
		_cleanup_free_ char *result = path_joinf(tmp, "result%zu", i);
		_cleanup_free_ char *link = path_join(built, rows[i].link);
		_cleanup_free_ char *module = path_join(result, "m.ko");

		expect_success(directory_create(built));
		expect_success(directory_create(result));
		if (rows[i].order)
			put_file(built, "modules.order", rows[i].order);
		// Reading a FIFO would never end.
		cr_assert_eq(rows[i].to ? symlink(rows[i].to, link)
					: mkfifo(link, 0600),
			     0);
		alarm(30);
		expect_kind(module_result_collect(built, result), ERROR_OTHER,
			    rows[i].message);
		alarm(0);
		cr_expect_not(file_exists(module), "%zu", i);
	}
}
