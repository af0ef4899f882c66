// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/module.h"

#include <criterion/criterion.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"
#include "vm/kernel/kernel.h"

static const struct catalog_arch arch = {
	.name = "x86_64",
	.kernel_arch = "x86_64",
	.cross_prefix = "",
	.cflags = "-fno-unwind-tables",
};

/** Any compiler will do. */
static struct catalog_gcc any = { .newest = 99, .reason = "" };

static const struct catalog catalog = {
	.gcc = { .reference = 5, .tried = &any, .tried_count = 1 },
};

/** A directory with what stands for a kernel, a source and a cache. */
static char *root, *source, *cache;
static struct kernel kernel;
/** Those that a test has built. */
static struct module modules[4];

// What the kernel's Makefile does: a module is its own source.
static const char makefile[] =
	"modules:\n"
	"	@cat $(M)/b.c $(M)/a.c >/dev/null\n"
	"	@echo $(filter -fvar% -fno-unwind%,$(KCFLAGS)) | grep -q ' '\n"
	"	@if grep -q broken $(M)/b.c; then echo some reason; false; fi\n"
	"	@if grep -q missing $(M)/b.c; then echo x: No such file or directory; fi\n"
	"	@cp $(M)/b.c $(M)/b.ko; cp $(M)/a.c $(M)/a.ko\n"
	"	@grep -q nothing $(M)/b.c || printf '%s/b.o\\n%s/a.o\\n' $(M) $(M) >$(M)/modules.order\n";

static void setup(void)
{
	interrupt_catch();
	setup_tmp();
	root = in_tmp("a root");
	source = path_join(root, "source");
	cache = path_join(root, "cache");
	put_file(root, "kernel/vmlinuz", "image");
	put_file(root, "kernel/build/.config", "");
	put_file(root, "kernel/build/Module.symvers", "");
	put_file(root, "kernel/build/Makefile", makefile);
	put_file(root, "kernel/build/include/config/kernel.release", "6.12.1\n");
	put_file(source, "Makefile", "obj-m := b.o a.o\n");
	put_file(source, "a.c", "a");
	put_file(source, "b.c", "b");
	_cleanup_free_ char *path = path_join(root, "kernel");
	cr_assert_null(kernel_open(path, &kernel));
}

static void teardown(void)
{
	for (size_t i = 0; i < array_size(modules); i++)
		module_deinit(&modules[i]);
	kernel_deinit(&kernel);
	free(root);
	free(source);
	free(cache);
	teardown_tmp();
}

TestSuite(module, .init = setup, .fini = teardown);

static struct error *try_build(struct module *ret)
{
	const struct module_request request = {
		.catalog = &catalog,
		.kernel = &kernel,
		.arch = &arch,
		.source = source,
		.directory = cache,
	};

	return module_build(&request, ret);
}

/** Build one more, in place of an earlier one. @return Whether it was made. */
static bool build(size_t index)
{
	module_deinit(&modules[index]);
	expect_success(try_build(&modules[index]));
	return modules[index].entry->made;
}

Test(module, is_built_where_make_can_work)
{
	static const char *const rows[][2] = {
		{ NULL, "/tmp" },	    { "", "/tmp" },
		{ "/var/tmp", "/var/tmp" }, { "tmp", "/tmp" },
		{ "/a b", "/tmp" },	    { "/a:b", "/tmp" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *parent = module_scratch_parent(rows[i][0]);

		cr_expect_str_eq(parent, rows[i][1], "row %zu", i);
	}
}

Test(module, is_built_once_unless_it_is_damaged)
{
	cr_expect(build(0));
	cr_expect_not(build(1));
	cr_expect_str_eq(modules[0].path, modules[1].path);
	cr_expect_str_eq(strrchr(modules[0].path, '/'), "/b.ko");
	// Every module of the source is there.
	expect_contents(modules[0].entry->path, "b.ko", "b");
	expect_contents(modules[0].entry->path, "a.ko", "a");
	// What is damaged is built again.
	cr_assert_eq(unlink(modules[0].path), 0);
	cr_expect(build(2));
	expect_contents(modules[2].entry->path, "b.ko", "b");
}

Test(module, is_built_for_a_kernel_that_was_built_outside_of_its_source)
{
	_cleanup_free_ char *path = in_tmp("kernel");
	_cleanup_free_ char *link = in_tmp("kernel/build/source");
	_cleanup_free_ char *tree = in_tmp("tree");
	struct error *err;

	// Where make can work, nothing is copied.
	cr_assert_eq(rename(kernel.path, path), 0);
	kernel_deinit(&kernel);
	cr_assert_null(kernel_open(path, &kernel));
	put_file(tree, "Makefile", makefile);
	put_file(path, "build/Makefile", "include source/Makefile\n");
	cr_assert_eq(symlink(tree, link), 0);
	// A link to anything else shows nothing to a build.
	if (syscall(SYS_landlock_create_ruleset, NULL, 0,
		    LANDLOCK_CREATE_RULESET_VERSION) > 0) {
		err = try_build(&modules[0]);
		cr_expect(err);
		error_destroy(err);
	}
	put_file(tree, "Kbuild", "");
	build(0);
}

Test(module, is_rebuilt_when_source_or_kernel_changes)
{
	static const struct {
		const char *name, *text;
		bool rebuilt;
	} rows[] = {
		{ "source/b.c", "changed", true },
		{ "kernel/vmlinuz", "changed", true },
		{ "kernel/build/.config", "CONFIG_X=y\n", true },
		{ "source/b.o", "left behind", false },
		{ "kernel/build/other", "", false },
	};

	build(0);
	for (size_t i = 0; i < array_size(rows); i++) {
		put_file(root, rows[i].name, rows[i].text);
		cr_expect_eq(build(1), rows[i].rebuilt, "%s", rows[i].name);
	}
}

Test(module, is_rebuilt_by_another_compiler)
{
	_cleanup_free_ char *path =
		string_format("%s/bin:%s", root, getenv("PATH"));
	const char *const versions[] = { "12.2.0", "12.2.0", "13.1.0", "12.2.0" };
	const bool rebuilt[] = { true, false, true, false };

	setenv("PATH", path, 1);
	for (size_t i = 0; i < array_size(versions); i++) {
		_cleanup_free_ char *script =
			string_format("#!/bin/sh\necho %s\n", versions[i]);

		// It only says which version it is.
		put_program(root, "bin/gcc", script);
		cr_expect_eq(build(i), rebuilt[i], "%zu", i);
	}
}

Test(module, what_is_superseded_goes_when_nobody_uses_it)
{
	build(0);
	put_file(source, "b.c", "second");
	build(1);
	expect_contents(modules[0].entry->path, "b.ko", "b");
	expect_contents(modules[1].entry->path, "b.ko", "second");
	cache_release(take_ptr(modules[0].entry));
	put_file(source, "b.c", "third");
	build(2);
	cr_expect_not(file_exists(modules[0].path));
	cr_expect(file_exists(modules[1].path));
}

Test(module, what_fails_says_why_and_leaves_no_result)
{
	static const struct {
		const char *text, *word;
	} rows[] = {
		{ "broken", "make failed; its log is " },
		{ "missing", "x: No such file or directory; its log is " },
		{ "nothing", "make made no module" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *good = string_format("good %zu", i);
		struct module module = { 0 };

		put_file(source, "b.c", rows[i].text);
		for (int again = 0; again < 2; again++) {
			expect_failure(try_build(&module), rows[i].word);
			cr_expect_null(module.path);
		}
		put_file(source, "b.c", good);
		cr_expect(build(0));
	}
}
