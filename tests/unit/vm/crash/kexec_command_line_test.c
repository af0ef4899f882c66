// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/crash/kexec_command_line.h"

#include <criterion/criterion.h>

#include "common/base/cleanup.h"

Test(kexec_command_line, is_the_running_one_s_but_for_what_differs)
{
	// clang-format off
	static const struct {
		const char *name, *current;
		bool has_many_cpus;
		const char *append, *expected;
	} rows[] = {
		{ "plain", "root=/dev/root ro init=/i.sh\n", false, NULL, "root=/dev/root ro init=/i.sh reset_devices" },
		{ "several processors", "ro", true, NULL, "ro reset_devices nr_cpus=1" },
		{ "memory set aside", "a crashkernel=256M b", false, NULL, "a b reset_devices" },
		{ "it stands last", "a crashkernel=1G,high crashkernel=256M,low\n", false, NULL, "a reset_devices" },
		{ "another's value", "x.crashkernel=1 y=crashkernel=2", false, NULL, "x.crashkernel=1 y=crashkernel=2 reset_devices" },
		{ "more parameters", "a", true, "b=1 c", "a reset_devices nr_cpus=1 b=1 c" },
		{ "init has arguments", "a init=/bin/sh -- -c \"mount x && sh\"\n", false, "b", "a init=/bin/sh reset_devices b -- -c \"mount x && sh\"" },
		{ "dashes in quotes", "a=\"x -- crashkernel=1\" b", false, NULL, "a=\"x -- crashkernel=1\" b reset_devices" },
		{ "spaces", "  a   b  \n", false, "", "a b reset_devices" },
		{ "nothing", "", false, NULL, "reset_devices" },
		{ "quotes that do not end", "a \"b c", false, NULL, "a \"b c reset_devices" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *line =
			kexec_command_line(rows[i].current,
					   rows[i].has_many_cpus, rows[i].append);

		cr_expect_str_eq(line, rows[i].expected, "%s: %s", rows[i].name,
				 line);
	}
}
