// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/compiler.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <criterion/criterion.h>

#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static struct catalog *catalog;
static const struct catalog_arch *own, *foreign;

static void setup(void)
{
	struct utsname machine;

	interrupt_catch();
	setup_tmp();
	setenv("PATH", tmp, 1);
	catalog = load_catalog();
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
	teardown_tmp();
}

TestSuite(compiler, .init = setup, .fini = teardown);

/** A compiler that only says which version it is. */
static void install(const char *name, const char *version)
{
	_cleanup_free_ char *script =
		string_format("#!/bin/sh\necho %s\n", version);

	put_program(tmp, name, script);
}

static struct error *find(const char *version_text,
			  const struct catalog_arch *arch, struct compiler *ret)
{
	struct kernel_version version;

	cr_assert(kernel_version_parse(version_text, &version));
	return compiler_find(catalog, arch, &version, "/cache", ret);
}

Test(compiler, the_first_that_will_do_is_taken)
{
	// clang-format off
	static const struct {
		const char *version;
		bool is_foreign;
		/** Name and version of each. */
		const char *installed[6];
		const char *program, *gcc, *lacking;
	} cases[] = {
		{ "6.12.117", false, { "gcc", "14.2.0", "gcc-12", "12.2.0" }, "gcc-12", "12.2.0", NULL },
		{ "6.12.117", true, { "gcc-12", "12.2.0", "s390x-linux-gnu-gcc", "12.3.0" }, "s390x-linux-gnu-gcc", "12.3.0", NULL },
		{ "6.12.117", false, { "gcc", "15.1.0", "gcc-14", "14.1.0" }, "gcc", "15.1.0", NULL },
		// A release candidate is of its series.
		{ "6.12-rc1", false, { "gcc", "15.1.0" }, "gcc", "15.1.0", NULL },
		{ "6.11.9", false, { "gcc", "14.2.0" }, "gcc", "14.2.0", NULL },
		{ "6.11.9", false, { "gcc", "15.1.0" }, NULL, "12.5.0",
		  "gcc is version 15.1.0, and this kernel wants GCC 12 to 14 (GCC 15 takes C for C23, which parts of these series are not); install the package gcc-12" },
		{ "5.4.300", true, { "s390x-linux-gnu-gcc", "11.4.0" }, NULL, "12.5.0", "install the package gcc-12-s390x-linux-gnu" },
		{ "6.12", true, { NULL }, NULL, "12.5.0", "s390x-linux-gnu-gcc-12 is not installed; install the package gcc-12-s390x-linux-gnu" },
		// Its name is no proof.
		{ "6.12", false, { "gcc-12", "11.4.0" }, NULL, "12.5.0", "gcc-12 is not installed" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(cases); i++) {
		const struct catalog_arch *arch = cases[i].is_foreign ? foreign
								      : own;
		_cleanup_compiler_ struct compiler compiler = { 0 };

		cr_assert_null(directory_clear(tmp));
		for (size_t j = 0; j < 6 && cases[i].installed[j]; j += 2)
			install(cases[i].installed[j], cases[i].installed[j + 1]);
		expect_success(find(cases[i].version, arch, &compiler));
		cr_expect_str_eq(compiler.version, cases[i].gcc);
		cr_expect_eq(!compiler.url, !cases[i].lacking);
		if (!cases[i].lacking) {
			cr_expect_str_eq(compiler.program, cases[i].program);
			cr_expect_str_eq(compiler.prefix,
					 cases[i].is_foreign ? "s390x-linux-gnu-"
							     : "");
			continue;
		}
		cr_expect(strstr(compiler.lacking, cases[i].lacking), "%s",
			  compiler.lacking);
		cr_expect_eq(strncmp(compiler.program, "/cache/toolchains/", 18),
			     0);
		// Where kernel.org has none, it is an error.
		struct catalog_arch *host = &catalog->archs[0];
		const char *crosstool_host = host->crosstool_host;
		host->crosstool_host = NULL;
		_cleanup_compiler_ struct compiler none = { 0 };
		expect_kind(find(cases[i].version, arch, &none),
			    ERROR_NOT_FOUND, compiler.lacking);
		host->crosstool_host = crosstool_host;
	}
}

Test(compiler, that_says_nonsense_or_that_no_package_has_is_an_error)
{
	_cleanup_compiler_ struct compiler compiler = { 0 };

	install("gcc", "no idea");
	expect_failure(find("6.12", own, &compiler), "no idea");
	// Names of Debian's packages have no underscores.
	string_list_deinit(&catalog->archs[0].host_names);
	expect_failure(find("6.12", own, &compiler),
		       "install the package gcc-12-x86-64-linux-gnu");
}

/** Whether it needs a directory of the test's. */
static bool needs(const struct compiler *compiler, const char *name)
{
	_cleanup_string_list_ struct string_list directories = { 0 };
	_cleanup_free_ char *real = realpath(tmp, NULL);
	_cleanup_free_ char *path = path_join(real, name);

	compiler_add_directories(compiler, &directories);
	return string_list_contains(&directories, path);
}

Test(compiler, needs_what_is_installed_beside_its_bin)
{
	static const struct {
		const char *program, *prefix, *directory;
		bool needed;
	} rows[] = {
		{ "gcc/bin/cc", "", "gcc/bin", true },
		{ "gcc/bin/cc", "", "gcc/lib", true },
		{ "gcc/bin/cc", "", "gcc", false },
		{ "gcc/bin/arm-cc", "arm-", "gcc/arm", true },
		{ "home/cc", "", "home", true },
		{ "home/cc", "", "lib", false },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *path = in_tmp(rows[i].program);
		const struct compiler compiler = {
			.program = path,
			.prefix = (char *)rows[i].prefix,
		};

		put_program(tmp, rows[i].program, "#!/bin/sh\n");
		cr_expect_eq(needs(&compiler, rows[i].directory),
			     rows[i].needed, "row %zu", i);
	}
}
