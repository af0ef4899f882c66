// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/config.h"

#include <criterion/criterion.h>

#include "common/base/error.h"
#include "common/kernel/catalog.h"

static struct catalog_arch archs[] = {
	{ .name = "x86_64" },
	{ .name = "arm" },
	{ .name = "s390x" },
};
static const struct catalog catalog = {
	.archs = archs,
	.arch_count = array_size(archs),
};

static struct error *check(const char *bounds, const char *version,
			   const char *arch, bool *ret)
{
	struct kernel_version parsed;
	struct bounds_target target = {
		.catalog = &catalog,
		.version = version ? &parsed : NULL,
	};

	cr_assert_null(catalog_find_arch(&catalog, arch, &target.arch));
	if (version)
		cr_assert(kernel_version_parse(version, &parsed));
	return bounds_hold(bounds, &target, ret);
}

Test(bounds, hold_when_every_term_does)
{
	static const struct {
		const char *bounds, *version, *arch;
		bool holds;
	} cases[] = {
		{ "", "6.12", "arm", true },
		{ " \t ", "6.12", "arm", true },
		{ ">=6.1", "6.1", "arm", true },
		{ ">=6.1", "6.0.19", "arm", false },
		{ "<6.8", "6.7.12", "arm", true },
		{ "<6.8", "6.8", "arm", false },
		{ ">=5.10\t<5.15", "5.10.3", "arm", true },
		{ ">=5.10 <5.15", "5.15.1", "arm", false },
		{ "<6.8", "6.8-rc1", "arm", false },
		{ ">=6.8", "6.8-rc1", "arm", true },
		{ "<6.12.100", "6.12.99", "arm", true },
		{ "arm", "6.1", "arm", true },
		{ "arm", "6.1", "x86_64", false },
		{ "arm x86_64", "6.1", "x86_64", true },
		{ "!arm", "6.1", "arm", false },
		{ "!arm", "6.1", "x86_64", true },
		{ " !arm  <6.0", "6.1", "x86_64", false },
		{ "arm <6.0", "6.1", "arm", false },
		{ ">=6.1 arm", NULL, "arm", true },
		{ ">=6.1 arm", NULL, "x86_64", false },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		bool holds;

		cr_assert_null(check(cases[i].bounds, cases[i].version,
				     cases[i].arch, &holds),
			       "%s", cases[i].bounds);
		cr_expect_eq(holds, cases[i].holds, "'%s' of %s %s",
			     cases[i].bounds, cases[i].version, cases[i].arch);
	}
}

Test(bounds, quote_the_term_that_is_wrong)
{
	static const char *const terms[] = {
		">=", "<", ">= ", ">6.1", "<=6.1", "i386", "!", "<6.x", "=6.1"
	};

	for (size_t i = 0; i < array_size(terms); i++) {
		bool holds = true;
		_cleanup_error_ struct error *err =
			check(terms[i], "6.1", "arm", &holds);

		cr_expect(error_is(err, ERROR_USAGE), "%s", terms[i]);
		cr_expect(holds, "outputs change only on success");
	}
}
