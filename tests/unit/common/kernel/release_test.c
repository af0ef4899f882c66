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

Test(release, formats_what_it_parses)
{
	static const char *const cases[] = {
		"6.12.117-vmtest1.1default",
		"6.12.0-vmtest12.0tiny",
		"7.3.0-rc2-vmtest1.0.3alternative",
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct release release;
		char text[RELEASE_TEXT_SIZE];

		cr_assert(release_parse(cases[i], &release), "%s", cases[i]);
		release_format(&release, text);
		cr_expect_str_eq(text, cases[i]);
	}
}

Test(release, refuses_what_is_none)
{
	static const char *const cases[] = {
		"6.12.117",
		"6.12.117-vmtest",
		"6.12.117-vmtest1",
		"6.12.117-vmtest1.1",
		"6.12.117-vmtest1.1/../x",
		"6.12.117-vmtest1.1a b",
		"-vmtest1.1tiny",
		"6.12.117-vmtest999999999999.1tiny",
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct release release;

		cr_expect_not(release_parse(cases[i], &release), "%s", cases[i]);
	}
}

Test(release, default_flavor_and_rebuilds_sort_as_newer)
{
	static const char *const sorted[] = {
		"6.1.192-vmtest1.1default", "6.12.0-rc1-vmtest1.1default",
		"6.12.0-vmtest1.0tiny",	    "6.12.0-vmtest1.0.1tiny",
		"6.12.0-vmtest1.1default",  "6.12.0-vmtest2.0tiny",
		"6.12.1-vmtest1.0tiny",
	};

	for (size_t i = 0; i + 1 < array_size(sorted); i++) {
		struct release a, b;

		cr_assert(release_parse(sorted[i], &a));
		cr_assert(release_parse(sorted[i + 1], &b));
		cr_expect_lt(release_compare(&a, &b), 0, "%s", sorted[i]);
	}
}

Test(release, matches_globs_versions_series_and_flavors)
{
	static const char release[] = "6.12.117-vmtest1.0tiny";
	static const char *const matching[] = {
		"*", "6.12.*tiny", release, "6.12.117", "6.12", "tiny",
	};
	static const char *const others[] = {
		"6.1", "6.12.11", "6.12.0", "6.12.*default", "default", "",
	};

	for (size_t i = 0; i < array_size(matching); i++)
		cr_expect(release_matches(release, matching[i]), "%s",
			  matching[i]);
	for (size_t i = 0; i < array_size(others); i++)
		cr_expect_not(release_matches(release, others[i]), "%s",
			      others[i]);
}

Test(release, package_names_are_parsed_strictly)
{
	struct release release;
	char arch[ARCH_SIZE], name[PACKAGE_NAME_SIZE];
	static const char *const bad[] = {
		"kernel-6.12.117-vmtest1.0tiny.tar.zst",
		"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst.part",
		"kernel-../../etc/passwd.x86_64.tar.zst",
		"6.12.117-vmtest1.0tiny.x86_64.tar.zst",
		"kernel-.tar.zst",
		"",
	};

	package_name_format("6.12.117-vmtest1.0tiny", "x86_64", name);
	cr_assert_str_eq(name, "kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst");
	cr_assert(package_name_parse(name, &release, arch));
	cr_expect_str_eq(arch, "x86_64");
	cr_expect_str_eq(release.flavor, "tiny");
	for (size_t i = 0; i < array_size(bad); i++)
		cr_expect_not(package_name_parse(bad[i], &release, arch), "%s",
			      bad[i]);
}
