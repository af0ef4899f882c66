// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/fragment.h"

#include <stdbool.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/base/error.h"
#include "common/base/string_list.h"
#include "common/kernel/version.h"
#include "kbuild/config/bounds.h"

static struct error *apply(struct option_set *set, const char *text,
			   const char *version_text, const char *arch)
{
	struct kernel_version version;
	_cleanup_string_list_ struct string_list archs = STRING_LIST_INIT;
	struct bounds_target target = {
		.version = &version,
		.arch = arch,
		.known_archs = &archs,
	};

	string_list_add_split(&archs, "arm,s390x,x86_64");
	cr_assert(kernel_version_parse(version_text, &version));
	return option_set_apply(set, "test.config", text, strlen(text), &target);
}

static void apply_well(struct option_set *set, const char *text)
{
	_cleanup_error_ struct error *err = apply(set, text, "6.12", "x86_64");

	cr_assert_null(err, "%s", err ? error_message(err) : "");
}

Test(fragment, is_written_as_kconfig_wants_it)
{
	_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;

	apply_well(&set, "# comment\n"
			 "\n"
			 "CONFIG_A=y\n"
			 "CONFIG_B=n # off\n"
			 "\tCONFIG_C=0x1 [>=5.0]\t# one\r\n"
			 "CONFIG_D=\"a # \\\"b\\\"\"");
	_cleanup_free_ char *text = option_set_format(&set);
	cr_expect_str_eq(text, "CONFIG_A=y\n"
			       "# CONFIG_B is not set\n"
			       "CONFIG_C=0x1\n"
			       "CONFIG_D=\"a # \\\"b\\\"\"\n");
}

Test(fragment, that_comes_later_wins)
{
	_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;

	apply_well(&set, "CONFIG_A=y\nCONFIG_B=m\n");
	apply_well(&set, "CONFIG_A=n\n");
	_cleanup_free_ char *text = option_set_format(&set);
	cr_expect_str_eq(text, "# CONFIG_A is not set\nCONFIG_B=m\n");
}

Test(fragment, bounds_choose_versions_and_architectures)
{
	static const struct {
		const char *bounds, *version, *arch;
		bool holds;
	} cases[] = {
		{ "", "6.12", "x86_64", true },
		{ "[]", "6.12", "x86_64", true },
		{ "[>=6.12]", "6.12", "x86_64", true },
		{ "[>=6.12]", "6.12-rc1", "x86_64", true },
		{ "[>=6.12]", "6.11.9", "x86_64", false },
		{ "[<6.12]", "6.11.9", "x86_64", true },
		{ "[<6.12]", "6.12-rc1", "x86_64", false },
		{ "[<6.12]", "6.12.1", "x86_64", false },
		{ "[>=6.5 <6.8]", "6.7.1", "x86_64", true },
		{ "[>=6.5 <6.8]", "6.8", "x86_64", false },
		{ "[x86_64]", "6.12", "x86_64", true },
		{ "[x86_64]", "6.12", "s390x", false },
		{ "[arm s390x]", "6.12", "s390x", true },
		{ "[!s390x]", "6.12", "x86_64", true },
		{ "[!s390x]", "6.12", "s390x", false },
		{ "[ >=6.10  !s390x ]", "6.12", "s390x", false },
		{ "[x86_64 >=6.13]", "6.12", "x86_64", false },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;
		char text[128];

		snprintf(text, sizeof(text), "CONFIG_A=y %s\n", cases[i].bounds);
		_cleanup_error_ struct error *err =
			apply(&set, text, cases[i].version, cases[i].arch);
		cr_assert_null(err, "%s", err ? error_message(err) : "");
		cr_expect_eq(set.count, cases[i].holds, "%s for %s on %s",
			     cases[i].bounds, cases[i].version, cases[i].arch);
	}
}

Test(fragment, may_ask_again_under_other_bounds)
{
	_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;

	apply_well(&set, "CONFIG_A=m [<6.8]\nCONFIG_A=y [>=6.8]\n");
	_cleanup_free_ char *text = option_set_format(&set);
	cr_expect_str_eq(text, "CONFIG_A=y\n");
}

Test(fragment, names_the_line_that_is_malformed)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "A=y\n", "test.config:1: " },
		{ "CONFIG_=y\n", "test.config:1: " },
		{ "\nCONFIG_A\n", "test.config:2: CONFIG_A has no '='" },
		{ "CONFIG_A=\n", "test.config:1: CONFIG_A has no value" },
		{ "CONFIG_A=\"a\n", "test.config:1: CONFIG_A has no value" },
		{ "CONFIG_A=\"a\\\"\n", "test.config:1: CONFIG_A has no value" },
		{ "CONFIG_A=y [>=6.1\n", "test.config:1: CONFIG_A: '[' without" },
		{ "CONFIG_A=y [>=six]\n", "bound '>=six' has no version" },
		{ "CONFIG_A=y [>6.1]\n", "bound '>6.1' is neither" },
		{ "CONFIG_A=y [!]\n", "bound '!' is neither" },
		{ "CONFIG_A=y y\n", "neither bounds nor a reason" },
		{ "CONFIG_A=y\n#\nCONFIG_A=n\n",
		  "test.config:3: CONFIG_A is asked for at test.config:1" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;
		_cleanup_error_ struct error *err =
			apply(&set, cases[i].text, "6.12", "x86_64");

		cr_assert(err, "%s", cases[i].text);
		cr_expect(strstr(error_message(err), cases[i].message), "%s",
			  error_message(err));
	}
}

Test(fragment, check_accepts_what_was_kept)
{
	static const char config[] = "#\n# CONFIG_B is not set\nCONFIG_A=y\n"
				     "CONFIG_S=\"a b\"\nCONFIG_OTHER=y";
	_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;

	apply_well(&set, "CONFIG_A=y\nCONFIG_B=n\nCONFIG_C=n\n"
			 "CONFIG_S=\"a b\"\n");
	_cleanup_error_ struct error *err =
		option_set_check(&set, config, strlen(config), NULL);
	cr_expect_null(err, "%s", err ? error_message(err) : "");
}

Test(fragment, check_names_every_lost_option)
{
	static const char config[] = "CONFIG_KEPT=y\nCONFIG_BUILT_IN=y\n"
				     "CONFIG_UNWANTED=m\nCONFIG_LOST_TOO=y\n";
	static const char *const expected[] = {
		"4 options",
		"CONFIG_LOST=y became n (test.config:2: needed for boots)",
		"CONFIG_BUILT_IN=m became y (test.config:3)",
		"CONFIG_UNWANTED=n became m (test.config:4)",
		"CONFIG_NUMBER=8 became n (test.config:5)",
	};
	_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;

	apply_well(&set, "CONFIG_KEPT=y\n"
			 "CONFIG_LOST=y # needed for boots\n"
			 "CONFIG_BUILT_IN=m\n"
			 "CONFIG_UNWANTED=n\n"
			 "CONFIG_NUMBER=8\n");
	_cleanup_error_ struct error *err =
		option_set_check(&set, config, strlen(config), NULL);
	cr_assert(err);
	for (size_t i = 0; i < array_size(expected); i++)
		cr_expect(strstr(error_message(err), expected[i]),
			  "%s lacks %s", error_message(err), expected[i]);
	cr_expect_null(strstr(error_message(err), "KEPT"));
}

Test(fragment, only_essential_options_must_be_kept_where_others_may_be_lost)
{
	static const char config[] = "CONFIG_KEPT=y\n";
	_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;
	_cleanup_string_list_ struct string_list lost = STRING_LIST_INIT;

	apply_well(&set, "CONFIG_KEPT=y [essential]\n"
			 "CONFIG_LOST=y [>=6.1] # needed\n"
			 "CONFIG_NUMBER=8\n");
	_cleanup_error_ struct error *err =
		option_set_check(&set, config, strlen(config), &lost);
	cr_expect_null(err, "%s", err ? error_message(err) : "");
	cr_assert_eq(lost.count, 2);
	cr_expect_str_eq(lost.items[0], "CONFIG_LOST=y");
	cr_expect_str_eq(lost.items[1], "CONFIG_NUMBER=8");

	apply_well(&set, "CONFIG_ROOT=y [essential >=6.1] # the root\n");
	err = option_set_check(&set, config, strlen(config), &lost);
	cr_assert(err);
	cr_expect(strstr(error_message(err),
			 "1 option: CONFIG_ROOT=y became n (test.config:1: the root)"),
		  "%s", error_message(err));
}

Test(fragment, essential_is_a_word_of_its_own)
{
	static const struct bounds_target target = { .arch = "x86_64" };
	_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;
	static const struct string_list archs = STRING_LIST_INIT;
	struct bounds_target known = target;

	known.known_archs = &archs;
	static const char text[] = "CONFIG_A=y [essentials]\n";
	_cleanup_error_ struct error *err =
		option_set_apply(&set, "test.config", text, sizeof(text) - 1,
				 &known);
	cr_assert(err);
	cr_expect(strstr(error_message(err), "bound 'essentials'"), "%s",
		  error_message(err));
}
