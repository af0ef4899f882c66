// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/config.h"

#include <stdbool.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"

static struct catalog_arch archs[] = {
	{ .name = "x86_64" },
	{ .name = "arm" },
	{ .name = "s390x" },
};
static const struct catalog catalog = {
	.archs = archs,
	.arch_count = array_size(archs),
};

static struct error *bounds_check(const char *bounds, const char *version,
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

		expect_success(bounds_check(cases[i].bounds, cases[i].version,
					    cases[i].arch, &holds));
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

		expect_kind(bounds_check(terms[i], "6.1", "arm", &holds),
			    ERROR_USAGE, "bound '");
		cr_expect(holds, "outputs change only on success");
	}
}

/** For 6.12 on x86_64. */
static struct error *apply_as(const char *name, struct option_set *set,
			      const char *text)
{
	static const struct kernel_version version = { 6, 12, 0, 0 };
	static const struct bounds_target target = { &catalog, &archs[0],
						     &version };

	return option_set_apply(set, name, text, &target);
}

static struct error *apply(struct option_set *set, const char *text)
{
	return apply_as("test.config", set, text);
}

static void apply_well(struct option_set *set, const char *text)
{
	expect_success(apply(set, text));
}

Test(fragment, is_written_as_kconfig_wants_it)
{
	static const struct {
		/** Applied in this order. */
		const char *first, *second, *written;
	} cases[] = {
		{ "# comment\n\nCONFIG_A=y\nCONFIG_B=n # off\n"
		  "\tCONFIG_C=0x1 [>=5.0]\t# one\r\n"
		  "CONFIG_D=\"a # \\\"b\\\"\"",
		  "",
		  "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=0x1\n"
		  "CONFIG_D=\"a # \\\"b\\\"\"\n" },
		{ "# CONFIG_A is not set\n# CONFIG_B is not set here\n"
		  "# CONFIG_ is not set\n",
		  "", "# CONFIG_A is not set\n" },
		// The later one wins.
		{ "CONFIG_A=y\nCONFIG_B=m\n", "CONFIG_A=n\n",
		  "# CONFIG_A is not set\nCONFIG_B=m\n" },
		// One may ask again under other bounds.
		{ "CONFIG_A=m [<6.8]\nCONFIG_A=y [>=6.8]\n", "", "CONFIG_A=y\n" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_option_set_ struct option_set set = { 0 };

		apply_well(&set, cases[i].first);
		cr_assert_null(apply_as("later.config", &set, cases[i].second));
		_cleanup_free_ char *text = option_set_format(&set);
		cr_expect_str_eq(text, cases[i].written);
	}
}

Test(fragment, options_whose_bounds_do_not_hold_do_not_count)
{
	static const struct {
		const char *bounds;
		bool holds;
	} cases[] = {
		{ "", true },
		{ "[]", true },
		{ "[>=6.12]", true },
		{ "[<6.12]", false },
		{ "[ >=6.10  !x86_64 ]", false },
		{ "[essential]", true },
		{ "[essential s390x]", false },
		{ "[ essential\t]", true },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_option_set_ struct option_set set = { 0 };
		char text[128];

		snprintf(text, sizeof(text), "CONFIG_A=y %s\n", cases[i].bounds);
		apply_well(&set, text);
		cr_expect_eq(set.count, cases[i].holds, "%s", cases[i].bounds);
	}
}

Test(fragment, names_the_line_that_is_malformed)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "A=y\n", "test.config:1: 'A=y' sets no option" },
		{ "CONFIG_=y\n", "test.config:1: " },
		{ "\nCONFIG_A\n", "test.config:2: CONFIG_A has no '='" },
		{ "CONFIG_A=\n", "test.config:1: CONFIG_A has no value" },
		{ "CONFIG_A=\"a\n", "test.config:1: CONFIG_A has no value" },
		{ "CONFIG_A=\"a\\\"\n", "test.config:1: CONFIG_A has no value" },
		{ "CONFIG_A=y [>=6.1\n", "test.config:1: CONFIG_A: '[' without" },
		{ "CONFIG_A=y [>=six]\n", "bound '>=six' has no version" },
		{ "CONFIG_A=y [essentials]\n", "bound 'essentials'" },
		{ "CONFIG_A=y y\n", "neither bounds nor a reason" },
		{ "CONFIG_A=y\n#\nCONFIG_A=n\n",
		  "test.config:3: CONFIG_A is asked for at test.config:1" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_option_set_ struct option_set set = { 0 };

		expect_failure(apply(&set, cases[i].text), cases[i].message);
	}
}
