// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/host_programs.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"

/** A package's directory whose fixdep has these bytes. */
static char *package_with(const void *data, size_t size_bytes)
{
	char root[] = "/tmp/host_programs_test.XXXXXX";
	_cleanup_free_ char *directory = NULL;
	_cleanup_free_ char *program = NULL;

	interrupt_catch();
	cr_assert(mkdtemp(root));
	directory = path_join(root, "build/scripts/basic");
	cr_assert_null(directory_create(directory));
	program = path_join(directory, "fixdep");
	cr_assert_null(file_write(program, data, size_bytes));
	cr_assert_eq(chmod(program, 0755), 0);
	return string_copy(root);
}

Test(host_programs, those_of_this_machine_are_fine)
{
	_cleanup_free_ char *self = NULL;
	size_t size;

	cr_assert_null(file_read("/proc/self/exe", 64 << 20, &self, &size));
	_cleanup_directory_ char *package = package_with(self, size);
	cr_expect_null(host_programs_check(package));
}

Test(host_programs, those_of_other_machines_are_named)
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
		_cleanup_error_ struct error *err = host_programs_check(package);
		cr_assert(err, "%s", cases[i].name);
		cr_expect(strstr(error_message(err), cases[i].name), "%s",
			  error_message(err));
	}
}

Test(host_programs, what_is_no_elf_file_is_left_to_make)
{
	static const char script[] = "#!/bin/sh\nexit 1\n";
	_cleanup_directory_ char *package =
		package_with(script, sizeof(script) - 1);

	cr_expect_null(host_programs_check(package));
}

Test(host_programs, a_package_without_any_is_left_to_make)
{
	cr_expect_null(host_programs_check("/nonexistent"));
}
