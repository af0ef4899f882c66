// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static const char installed[] = VMTEST_SOURCE_DIR "/configs/vmtest.json";

static struct catalog *load(const char *path)
{
	struct catalog *catalog = NULL;

	expect_success(catalog_load(path, NULL, &catalog));
	return catalog;
}

static void compose(const struct catalog *catalog,
		    const struct catalog_arch *arch, const char *release_text,
		    struct option_set *set)
{
	struct release release;
	cr_assert(release_parse(release_text, &release));
	const struct config_additions none = { 0 };
	expect_success(config_compose(catalog, arch, &release, &none, set));
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
	_cleanup_catalog_ struct catalog *catalog = load(installed);

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
	_cleanup_catalog_ struct catalog *catalog = load(installed);
	_cleanup_option_set_ struct option_set tiny = { 0 }, standard = { 0 };

	compose(catalog, &catalog->archs[0], "6.12.117-vmtest1.0tiny", &tiny);
	compose(catalog, &catalog->archs[0], "6.12.117-vmtest1.1default",
		&standard);
	cr_expect_str_eq(value(&tiny, "CONFIG_ANON_VMA_NAME"), "n");
	cr_expect_str_eq(value(&standard, "CONFIG_ANON_VMA_NAME"), "y");
	cr_expect_str_eq(value(&standard, "CONFIG_LOCALVERSION"),
			 "\"-vmtest1.1default\"");
}

static char *source, *temporary;

static void setup(void)
{
	_cleanup_free_ char *text = NULL;

	interrupt_catch();
	setup_tmp();
	source = in_tmp("source");
	temporary = in_tmp("temporary");
	cr_assert_null(directory_create(temporary));
	cr_assert_null(file_read(installed, 1 << 20, &text, NULL));
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
static struct error *configure(const char *makefile, const char *release_text,
			       char **ret)
{
	struct error *err;

	_cleanup_free_ char *path = in_tmp("vmtest.json");
	_cleanup_free_ char *all =
		string_format("allnoconfig:\n\t%s\nolddefconfig:\n", makefile);
	put_file(source, "Makefile", all);
	_cleanup_catalog_ struct catalog *catalog = load(path);
	cr_assert(kernel_version_parse("7.3", &catalog->verified));
	const struct catalog_arch *arch;
	cr_assert_null(catalog_find_arch(catalog, "x86_64", &arch));
	struct release release;
	cr_assert(release_parse(release_text, &release));
	const struct compiler compiler = { .prefix = (char *)"",
					   .program = (char *)"gcc" };
	const struct config_additions none = { 0 };
	err = configure_source(catalog, arch, &release, &none, &compiler,
			       source, temporary, ret);

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

		if (cases[i].message)
			expect_failure(err, cases[i].message);
		else
			expect_success(err);
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
