// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/compiler.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <criterion/criterion.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/kernel/catalog.h"

/** A directory that is all of PATH. */
static char *path;
static struct catalog *catalog;
static const struct catalog_arch *own, *foreign;

static void setup(void)
{
	char root[] = "/tmp/toolchain_test.XXXXXX";
	struct utsname machine;

	interrupt_catch();
	cr_assert(mkdtemp(root));
	path = strdup(root);
	setenv("PATH", root, 1);
	cr_assert_null(catalog_load(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				    NULL, &catalog));
	// This machine is an x86_64 one, whatever it is.
	uname(&machine);
	for (size_t i = 0; i < catalog->arch_count; i++)
		string_list_deinit(&catalog->archs[i].host_names);
	string_list_add(&catalog->archs[0].host_names, machine.machine);
	cr_assert_null(catalog_find_arch(catalog, "x86_64", &own));
	cr_assert_null(catalog_find_arch(catalog, "s390x", &foreign));
}

static void teardown(void)
{
	catalog_destroy(catalog);
	cleanup_directory(&path);
}

TestSuite(toolchain, .init = setup, .fini = teardown);

/** A compiler that only says which version it is. */
static void install(const char *name, const char *version)
{
	_cleanup_free_ char *program = NULL;
	_cleanup_free_ char *script = NULL;

	program = path_join(path, name);
	cr_assert(asprintf(&script, "#!/bin/sh\necho %s\n", version) > 0);
	cr_assert_null(file_write(program, script, strlen(script)));
	cr_assert_eq(chmod(program, 0755), 0);
}

static struct error *open_for(const char *version_text,
			      const struct catalog_arch *arch,
			      struct toolchain *ret)
{
	struct kernel_version version;

	cr_assert(kernel_version_parse(version_text, &version));
	return toolchain_open(catalog, arch, &version, path, NULL, ret);
}

static void expect_error(const char *version, const struct catalog_arch *arch,
			 const char *message)
{
	_cleanup_toolchain_ struct toolchain toolchain = { 0 };
	_cleanup_error_ struct error *err = open_for(version, arch, &toolchain);

	cr_assert(error_is(err, ERROR_NOT_FOUND));
	cr_expect(strstr(error_message(err), message), "%s", error_message(err));
}

Test(toolchain, the_first_that_fits_is_taken)
{
	static const struct {
		const char *version;
		bool is_foreign;
		/** Name and version of each. */
		const char *installed[8];
		const char *prefix, *program;
	} cases[] = {
		{ "6.12.117",
		  false,
		  { "gcc", "12.2.0", "x86_64-linux-gnu-gcc", "13.1.0" },
		  "",
		  "gcc" },
		{ "6.12.117",
		  true,
		  { "gcc", "12.2.0", "s390x-linux-gnu-gcc", "12.2.0" },
		  "s390x-linux-gnu-",
		  "s390x-linux-gnu-gcc" },
		// The newest number.
		{ "5.4.300",
		  false,
		  { "gcc", "12.2.0", "gcc-11", "11.3.0", "gcc-9", "9.5.0",
		    "gcc-8", "8.4.0" },
		  "",
		  "gcc-9" },
		// A release candidate is of its series.
		{ "6.12-rc1", false, { "gcc", "8.1.0" }, "", "gcc" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_toolchain_ struct toolchain toolchain = { 0 };

		cr_assert_null(directory_clear(path));
		for (size_t j = 0; j < 8 && cases[i].installed[j]; j += 2)
			install(cases[i].installed[j], cases[i].installed[j + 1]);
		_cleanup_error_ struct error *err =
			open_for(cases[i].version,
				 cases[i].is_foreign ? foreign : own, &toolchain);
		cr_assert_null(err, "%s", err ? error_message(err) : "");
		cr_expect_str_eq(toolchain.chosen->prefix, cases[i].prefix);
		cr_expect_str_eq(toolchain.chosen->program, cases[i].program);
		cr_expect_null(toolchain.chosen->directory);
	}
}

Test(toolchain, without_any_the_package_is_named)
{
	catalog->archs[0].crosstool_host = NULL;
	expect_error("6.12.117", own, "install the package gcc");
	expect_error("6.12.117", foreign,
		     "install the package gcc-s390x-linux-gnu");
	install("s390x-linux-gnu-gcc", "12.2.0");
	expect_error("5.4.300", foreign,
		     "s390x-linux-gnu-gcc is version 12.2.0, and this kernel wants GCC from 7.1 below 10.0");
	expect_error("5.4.300", foreign, "gcc-s390x-linux-gnu-N");
}

Test(toolchain, a_compiler_that_says_nonsense_is_an_error)
{
	_cleanup_toolchain_ struct toolchain toolchain = { 0 };

	install("gcc", "no idea");
	_cleanup_error_ struct error *err = open_for("6.12", own, &toolchain);
	cr_assert(err);
	cr_expect(strstr(error_message(err), "no idea"));
}

Test(toolchain, names_of_debians_packages_have_no_underscores)
{
	_cleanup_toolchain_ struct toolchain toolchain = { 0 };

	string_list_deinit(&catalog->archs[0].host_names);
	cr_assert_null(toolchain_find(catalog, own, &catalog->compilers[0],
				      path, &toolchain));
	_cleanup_free_ char *package = toolchain_package(&toolchain);
	cr_expect_str_eq(package, "gcc-x86-64-linux-gnu");
}
