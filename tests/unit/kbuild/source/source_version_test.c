// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source_version.h"

#include <criterion/criterion.h>

#include "common/base/error.h"
#include "common/kernel/version.h"

Test(source_version, is_what_the_makefile_says)
{
	static const struct {
		const char *makefile, *version;
	} cases[] = {
		{ "# SPDX\nVERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION =\n",
		  "6.12.117" },
		{ "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION =\n",
		  "6.12" },
		{ "VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 0\nEXTRAVERSION = -rc2\n",
		  "7.3-rc2" },
		{ "VERSION=4\nPATCHLEVEL\t=\t9\nSUBLEVEL = 337  \nEXTRAVERSION = \n",
		  "4.9.337" },
		{ "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 2\nEXTRAVERSION =\nVERSION = 9\n",
		  "6.1.2" },
		{ "VERSIONS = 9\nVERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 2\nEXTRAVERSION =",
		  "6.1.2" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct kernel_version version;
		char text[KERNEL_VERSION_TEXT_SIZE];

		cr_assert_null(source_version_parse(cases[i].makefile, &version),
			       "%s", cases[i].version);
		kernel_version_format(&version, text);
		cr_expect_str_eq(text, cases[i].version);
	}
}

Test(source_version, refuses_what_has_no_name_at_kernel_org)
{
	static const char *const makefiles[] = {
		"",
		"all:\n\tcc -o x x.c\n",
		"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\n",
		"VERSION = six\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n",
		"VERSION =\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n",
		"VERSION = -6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n",
		"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION = -mine\n",
		"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION = -rc1\n",
		"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION = -rc0\n",
		"VERSION = 6666666666666\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION =\n",
		"VERSION = 66666666666666666\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION =\n",
		"#VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION =\n",
	};

	for (size_t i = 0; i < array_size(makefiles); i++) {
		struct kernel_version version = { .major = 1 };
		_cleanup_error_ struct error *err =
			source_version_parse(makefiles[i], &version);

		cr_expect(error_is(err, ERROR_USAGE), "%s", makefiles[i]);
	}
}

Test(source_version, a_folder_without_makefile_is_no_source)
{
	struct kernel_version version;
	_cleanup_error_ struct error *err =
		source_version_read("/proc/self/fd", &version);

	cr_expect(error_is(err, ERROR_USAGE));
}
