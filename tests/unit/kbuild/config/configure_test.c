// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/configure.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/kernel/release.h"
#include "tests/unit/files.h"

/** A catalog with its fragments, a kernel's source, and a folder for others. */
struct trees {
	char *root;
	char *source;
	char *temporary;
	struct catalog *catalog;
};

/** @param[in] makefile What allnoconfig does; olddefconfig does nothing. */
static struct trees create_trees(const char *makefile)
{
	struct trees trees = { 0 };
	char root[] = "/tmp/configure_test.XXXXXX";
	_cleanup_free_ char *path = NULL, *all = NULL;

	interrupt_catch();
	cr_assert(mkdtemp(root));
	trees.root = strdup(root);
	trees.source = path_join(root, "source");
	trees.temporary = path_join(root, "temporary");
	cr_assert_null(directory_create(trees.source));
	cr_assert_null(directory_create(trees.temporary));
	cr_assert(asprintf(&all, "allnoconfig:\n%s\nolddefconfig:\n", makefile) >
		  0);
	put_file(trees.source, "Makefile", all);

	cr_assert_null(file_read(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				 1 << 20, &path, NULL));
	put_file(root, "vmtest.json", path);
	put_file(root, "base.config",
		 "CONFIG_A=y [essential]\nCONFIG_B=y # it is\n");
	put_file(root, "tiny.config", "CONFIG_C=n\n");
	put_file(root, "x86_64.config", "");
	free(path);
	path = path_join(root, "vmtest.json");
	cr_assert_null(catalog_load(path, NULL, &trees.catalog));
	return trees;
}

static void destroy_trees(struct trees *trees)
{
	catalog_destroy(trees->catalog);
	cleanup_directory(&trees->root);
	free(trees->source);
	free(trees->temporary);
}

static struct error *configure_as(const struct trees *trees,
				  const char *release_text, char **ret)
{
	struct error *err;

	const struct catalog_arch *arch;
	err = catalog_find_arch(trees->catalog, "x86_64", &arch);
	if (err)
		return err;
	struct release release;
	cr_assert(release_parse(release_text, &release));
	static char no_prefix[] = "", gcc[] = "gcc";
	const struct compiler compiler = { .prefix = no_prefix, .program = gcc };
	return configure_source(trees->catalog, arch, &release, &compiler,
				trees->source, trees->temporary, ret);
}

static struct error *configure(const struct trees *trees, char **ret)
{
	return configure_as(trees, "6.12.117-vmtest1.0tiny", ret);
}

static void expect_nothing_left(const struct trees *trees)
{
	size_t count = 0;
	DIR *folder = opendir(trees->temporary);

	cr_assert(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	cr_expect_eq(count, 2, "something is left in the temporary folder");
}

Test(configure, gives_what_comes_out)
{
	struct trees trees = create_trees(
		"\t{ cat $(KCONFIG_ALLCONFIG); echo CONFIG_D=y; } >$(O)/.config");
	_cleanup_free_ char *config = NULL;
	_cleanup_error_ struct error *err = configure(&trees, &config);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	cr_expect_str_eq(config, "CONFIG_A=y\nCONFIG_B=y\n"
				 "# CONFIG_C is not set\n"
				 "CONFIG_LOCALVERSION=\"-vmtest1.0tiny\"\n"
				 "CONFIG_D=y\n");
	expect_nothing_left(&trees);
	destroy_trees(&trees);
}

Test(configure, names_what_kconfig_dropped)
{
	struct trees trees = create_trees(
		"\tgrep -v CONFIG_B $(KCONFIG_ALLCONFIG) >$(O)/.config");
	_cleanup_free_ char *config = NULL;
	_cleanup_error_ struct error *err = configure(&trees, &config);

	cr_assert(err);
	cr_expect(strstr(error_message(err),
			 "CONFIG_B=y became n (base.config:2: it is)"),
		  "%s", error_message(err));
	cr_expect_null(config);
	expect_nothing_left(&trees);
	destroy_trees(&trees);
}

Test(configure, a_series_that_nobody_has_verified_may_lose_options)
{
	static const struct {
		const char *release;
		const char *lost;
		bool works;
	} cases[] = {
		{ "7.3.99-vmtest1.0tiny", "CONFIG_B", false },
		{ "7.4-rc1-vmtest1.0tiny", "CONFIG_B", true },
		{ "7.4.1-vmtest1.0tiny", "CONFIG_B", true },
		{ "8.0-vmtest1.0tiny", "CONFIG_B", true },
		{ "8.0-vmtest1.0tiny", "CONFIG_A", false },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_free_ char *make = NULL, *config = NULL;

		cr_assert(asprintf(&make,
				   "\tgrep -v %s $(KCONFIG_ALLCONFIG) >$(O)/.config",
				   cases[i].lost) > 0);
		struct trees trees = create_trees(make);
		cr_assert(kernel_version_parse("7.3", &trees.catalog->verified));
		_cleanup_error_ struct error *err =
			configure_as(&trees, cases[i].release, &config);
		cr_expect_eq(!err, cases[i].works, "row %zu: %s", i,
			     err ? error_message(err) : "no error");
		destroy_trees(&trees);
	}
}

Test(configure, failure_of_make_names_no_log_that_is_gone)
{
	struct trees trees = create_trees("\tfalse");
	_cleanup_free_ char *config = NULL;
	_cleanup_error_ struct error *err = configure(&trees, &config);

	cr_assert(err);
	cr_expect_str_eq(error_message(err), "configure: make failed");
	expect_nothing_left(&trees);
	destroy_trees(&trees);
}
