// SPDX-License-Identifier: LGPL-2.1-or-later

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "bot/build/build.h"
#include "common/kernel/catalog.h"
#include "tests/unit/common/kernel/two_archs.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

TestSuite(boot, .init = enter_tmp, .fini = teardown_tmp);

Test(boot, what_is_missing_is_named_before_a_build)
{
	static const struct {
		const char *arch, *qemu;
		/** NULL if nothing is missing. */
		const char *message;
	} rows[] = {
		{ "here", "/bin/sh", NULL },
		{ "here", "/no/qemu", "here guests need /no/qemu" },
		{ "here", "/no/qemu", "set VMTEST_QEMU" },
		{ "there", "/no/qemu", "there guests need /no/qemu" },
		{ "there", "/bin/sh", "make a root for there guests: " },
	};
	struct utsname host;

	uname(&host);
	// Where there is no apt.
	setenv("PATH", "/no", 1);
	_cleanup_catalog_ struct catalog *catalog =
		two_archs_catalog("here", "there", host.machine);
	for (size_t i = 0; i < array_size(rows); i++) {
		const struct build_request request = {
			.directory = ".",
			.qemu = rows[i].qemu,
		};
		const struct catalog_arch *arch;
		cr_assert_null(catalog_find_arch(catalog, rows[i].arch, &arch));
		struct error *err = boot_check(&request, arch);

		if (rows[i].message)
			expect_failure(err, rows[i].message);
		else
			cr_expect_null(err);
	}
}
