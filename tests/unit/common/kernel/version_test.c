// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/release.h"

#include <criterion/criterion.h>

static struct kernel_version parse(const char *text)
{
	struct kernel_version version;

	cr_assert(kernel_version_parse(text, &version), "%s", text);
	return version;
}

Test(version, formats_what_it_parses)
{
	static const struct {
		const char *text, *name, *full, *series;
	} cases[] = {
		{ "6.12.117", "6.12.117", "6.12.117", "6.12" },
		{ "6.12", "6.12", "6.12.0", "6.12" },
		{ "6.12.0", "6.12", "6.12.0", "6.12" },
		{ "7.3-rc2", "7.3-rc2", "7.3.0-rc2", "7.3" },
		{ "7.3.0-rc2", "7.3-rc2", "7.3.0-rc2", "7.3" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct kernel_version version = parse(cases[i].text);
		char text[KERNEL_VERSION_TEXT_SIZE];

		kernel_version_format(&version, text);
		cr_expect_str_eq(text, cases[i].name);
		kernel_version_format_full(&version, text);
		cr_expect_str_eq(text, cases[i].full);
		kernel_version_format_series(&version, text);
		cr_expect_str_eq(text, cases[i].series);
	}
}

Test(version, refuses_what_is_none)
{
	static const char *const cases[] = {
		"",
		"6",
		"6.",
		"v6.12",
		"6.12.",
		"6.12.1.1",
		"6.12-rc",
		"6.12-rc0",
		"6.12.1-rc1",
		"6.12 ",
		"99999999999.1",
		"next-20261120",
		"-1.2",
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct kernel_version version;

		cr_expect_not(kernel_version_parse(cases[i], &version), "%s",
			      cases[i]);
	}
}

Test(version, sorts_as_kernel_org_counts)
{
	static const char *const sorted[] = {
		"3.10",	  "4.9.337",  "4.19",	   "5.4.1",
		"6.9.12", "6.12-rc1", "6.12-rc10", "6.12",
		"6.12.1", "6.12.117", "7.0-rc1",   "7.0",
	};

	for (size_t i = 0; i < array_size(sorted); i++) {
		for (size_t j = 0; j < array_size(sorted); j++) {
			struct kernel_version a = parse(sorted[i]),
					      b = parse(sorted[j]);
			int order = kernel_version_compare(&a, &b);

			cr_expect_eq((order > 0) - (order < 0), (i > j) - (i < j),
				     "%s and %s", sorted[i], sorted[j]);
		}
	}
}
