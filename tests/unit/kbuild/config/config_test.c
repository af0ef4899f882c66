// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "kbuild/make.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

/** @param[in] arch May have no such kernels. */
static struct config_request request_of(const struct catalog *catalog,
					const struct catalog_arch *arch,
					const char *release)
{
	struct config_request request = { .catalog = catalog, .arch = arch };

	cr_assert(release_parse(release, &request.release));
	expect_success(catalog_find_flavor(catalog, request.release.flavor,
					   &request.flavor));
	return request;
}

static void compose(const struct catalog *catalog,
		    const struct catalog_arch *arch, const char *release,
		    struct option_set *set)
{
	const struct config_request request = request_of(catalog, arch, release);

	expect_success(config_compose(&request, set));
}

static const char *value(const struct option_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++) {
		if (strcmp(set->items[i].name, name) == 0)
			return set->items[i].value;
	}
	return "";
}

Test(config, composes_every_flavor_of_every_architecture)
{
	static const char *const versions[] = { "4.9.337", "5.10.1", "6.1.192",
						"6.5.0", "6.12.117" };
	_cleanup_catalog_ struct catalog *catalog = load_catalog();

	for (size_t i = 0; i < array_size(versions) * catalog->arch_count *
				       catalog->flavor_count;
	     i++) {
		size_t j = i / array_size(versions);
		_cleanup_option_set_ struct option_set set = { 0 };
		_cleanup_free_ char *release =
			string_format("%s-vmtest1.0%s",
				      versions[i % array_size(versions)],
				      catalog->flavors[j / catalog->arch_count].name);

		compose(catalog, &catalog->archs[j % catalog->arch_count],
			release, &set);
		cr_expect_str_eq(value(&set, "CONFIG_MODULES"), "y");
	}
}

Test(config, flavors_override_the_base)
{
	_cleanup_catalog_ struct catalog *catalog = load_catalog();
	_cleanup_option_set_ struct option_set tiny = { 0 }, standard = { 0 };

	compose(catalog, &catalog->archs[0], "6.12.117-vmtest1.0tiny", &tiny);
	compose(catalog, &catalog->archs[0], "6.12.117-vmtest1.1default",
		&standard);
	cr_expect_str_eq(value(&tiny, "CONFIG_ANON_VMA_NAME"), "n");
	cr_expect_str_eq(value(&standard, "CONFIG_ANON_VMA_NAME"), "y");
	cr_expect_str_eq(value(&standard, "CONFIG_LOCALVERSION"),
			 "\"-vmtest1.1default\"");
}

static void apply(struct option_set *set, const char *text)
{
	const struct kernel_version version = { 6, 12, 117, 0 };
	const struct bounds_target target = { .version = &version };

	expect_success(option_set_apply(set, "test.config", text, &target));
}

Test(config, check_names_every_lost_option)
{
	static const char config[] = "#\n# CONFIG_OFF is not set\n"
				     "CONFIG_KEPT=y\nCONFIG_BUILT_IN=y\n"
				     "CONFIG_UNWANTED=m\nCONFIG_LOST_TOO=y\n"
				     "CONFIG_TEXT=\"a b\"";
	static const char kept[] = "CONFIG_KEPT=y\nCONFIG_OFF=n\n"
				   "CONFIG_UNKNOWN=n\nCONFIG_TEXT=\"a b\"\n";
	static const char *const expected[] = {
		"4 options",
		"CONFIG_LOST=y became n (test.config:1: needed for boots)",
		"CONFIG_BUILT_IN=m became y (test.config:2)",
		"CONFIG_UNWANTED=n became m (test.config:3)",
		"CONFIG_NUMBER=8 became n (test.config:4)",
	};
	_cleanup_option_set_ struct option_set set = { 0 };

	apply(&set, kept);
	cr_expect_null(config_check(&set, config, NULL));
	apply(&set, "CONFIG_LOST=y # needed for boots\n"
		    "CONFIG_BUILT_IN=m\n"
		    "CONFIG_UNWANTED=n\n"
		    "CONFIG_NUMBER=8\n");
	_cleanup_error_ struct error *err = config_check(&set, config, NULL);
	cr_assert(err);
	for (size_t i = 0; i < array_size(expected); i++)
		cr_expect(strstr(error_message(err), expected[i]),
			  "%s lacks %s", error_message(err), expected[i]);
	cr_expect_null(strstr(error_message(err), "KEPT"));
}

Test(config, only_essential_options_must_be_kept_where_others_may_be_lost)
{
	static const char config[] = "CONFIG_KEPT=y\n";
	_cleanup_option_set_ struct option_set set = { 0 };
	_cleanup_string_list_ struct string_list lost = { 0 };

	apply(&set, "CONFIG_KEPT=y [essential]\n"
		    "CONFIG_LOST=y [>=6.1] # needed\n"
		    "CONFIG_NUMBER=8\n");
	expect_success(config_check(&set, config, &lost));
	cr_assert_eq(lost.count, 2);
	cr_expect_str_eq(lost.items[0], "CONFIG_LOST=y");
	cr_expect_str_eq(lost.items[1], "CONFIG_NUMBER=8");

	apply(&set, "CONFIG_ROOT=y [essential >=6.1] # the root\n");
	expect_failure(config_check(&set, config, &lost),
		       "1 option: CONFIG_ROOT=y became n (test.config:1: the root)");
}

static char *source, *temporary;

static void setup(void)
{
	_cleanup_free_ char *text =
		get_file(VMTEST_SOURCE_DIR, "configs/vmtest.json");

	interrupt_catch();
	setup_tmp();
	source = in_tmp("source");
	temporary = in_tmp("temporary");
	cr_assert_null(directory_create(temporary));
	put_file(tmp, "vmtest.json", text);
	put_file(tmp, "base.config",
		 "CONFIG_A=y [essential]\nCONFIG_B=y # it is\n");
	put_file(tmp, "tiny.config", "CONFIG_C=n\n");
	put_file(tmp, "x86_64.config", "");
}

static void teardown(void)
{
	free(source);
	free(temporary);
	teardown_tmp();
}

TestSuite(configure, .init = setup, .fini = teardown);

/**
 * Configure for x86_64, where 7.3 is the newest series that is verified.
 *
 * @param[in] makefile What allnoconfig does; olddefconfig does nothing.
 */
static struct error *configure(const char *makefile, const char *release,
			       char **ret)
{
	struct error *err;

	_cleanup_free_ char *path = in_tmp("vmtest.json");
	_cleanup_free_ char *all =
		string_format("allnoconfig:\n\t%s\nolddefconfig:\n", makefile);
	put_file(source, "Makefile", all);
	_cleanup_catalog_ struct catalog *catalog = NULL;
	expect_success(catalog_load(path, NULL, &catalog));
	cr_assert(kernel_version_parse("7.3", &catalog->verified));
	const struct catalog_arch *arch;
	cr_assert_null(catalog_find_arch(catalog, "x86_64", &arch));
	const struct config_request request = request_of(catalog, arch, release);
	const struct compiler compiler = { .prefix = (char *)"",
					   .program = (char *)"gcc" };
	err = configure_source(&request, &compiler, source, temporary, ret);
	cr_expect_eq(rmdir(temporary), 0, "something is left");
	cr_assert_null(directory_create(temporary));
	return err;
}

Test(configure, gives_what_comes_out)
{
	_cleanup_free_ char *config = NULL;

	expect_success(
		configure("{ cat $(KCONFIG_ALLCONFIG); echo CONFIG_D=y; } >$(O)/.config",
			  "6.12.117-vmtest1.0tiny", &config));
	cr_expect_str_eq(config, "CONFIG_A=y\nCONFIG_B=y\n"
				 "# CONFIG_C is not set\n"
				 "CONFIG_LOCALVERSION=\"-vmtest1.0tiny\"\n"
				 "CONFIG_D=y\n");
}

Test(configure, a_series_that_nobody_has_verified_may_lose_options)
{
	static const struct {
		const char *release, *lost, *message;
	} cases[] = {
		{ "6.12.117-vmtest1.0tiny", "CONFIG_B",
		  "CONFIG_B=y became n (base.config:2: it is)" },
		{ "7.3.99-vmtest1.0tiny", "CONFIG_B", "CONFIG_B=y became n" },
		{ "7.4-rc1-vmtest1.0tiny", "CONFIG_B", NULL },
		{ "7.4.1-vmtest1.0tiny", "CONFIG_B", NULL },
		{ "8.0-vmtest1.0tiny", "CONFIG_B", NULL },
		{ "8.0-vmtest1.0tiny", "CONFIG_A", "CONFIG_A=y became n" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_free_ char *config = NULL;
		_cleanup_free_ char *make =
			string_format("grep -v %s $(KCONFIG_ALLCONFIG) >$(O)/.config",
				      cases[i].lost);
		struct error *err = configure(make, cases[i].release, &config);

		expect_outcome(err, cases[i].message);
		cr_expect_eq(!config, !!cases[i].message, "row %zu", i);
	}
}

Test(configure, failure_of_make_names_no_log_that_is_gone)
{
	_cleanup_free_ char *config = NULL;
	_cleanup_error_ struct error *err =
		configure("false", "6.12.117-vmtest1.0tiny", &config);

	cr_assert(err);
	cr_expect_str_eq(error_message(err), "configure: make failed");
}

static void set_time(const char *path, time_t seconds)
{
	const struct timespec times[] = { { .tv_sec = seconds },
					  { .tv_sec = seconds } };
	_cleanup_free_ char *file = in_tmp(path);

	cr_assert_eq(utimensat(AT_FDCWD, file, times, 0), 0);
}

Test(config, is_current_until_kconfig_changes, .init = setup_tmp,
     .fini = teardown_tmp)
{
	_cleanup_free_ char *tree = in_tmp("s");
	_cleanup_free_ char *build = in_tmp("b");
	const struct make make = { .source = tree, .build = build };

	put_file(build, ".config", "CONFIG_X=y\n");
	put_file(tree, "Kconfig", "");
	put_file(tree, "fs/Kconfig", "");
	set_time("s/Kconfig", 1000);
	set_time("s/fs/Kconfig", 1000);
	// Not built yet.
	cr_expect_not(config_is_current(&make));
	put_file(build, "include/config/auto.conf.cmd",
		 "deps_config := \\\n\tKconfig \\\n\tfs/Kconfig \\\n\n$(x): y\n");
	cr_expect(config_is_current(&make));
	set_time("b/include/config/auto.conf.cmd", 2000);
	cr_expect(config_is_current(&make));
	set_time("s/fs/Kconfig", 3000);
	cr_expect_not(config_is_current(&make));
	set_time("s/fs/Kconfig", 1000);
	cr_expect(config_is_current(&make));
	_cleanup_free_ char *kconfig = in_tmp("s/Kconfig");
	cr_assert_null(file_delete(kconfig));
	cr_expect_not(config_is_current(&make));
}
