// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/kernel/kernel.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/store/store.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static const char *const releases[] = {
	"6.12.115-vmtest1.0tiny",
	"6.12.117-vmtest1.0tiny",
	"6.12.117-vmtest1.1default",
	"6.1.9-vmtest1.1default",
};

static void setup(void)
{
	setup_tmp();
	for (size_t i = 0; i < array_size(releases); i++) {
		_cleanup_free_ char *kernel =
			path_joinf(tmp, "x86_64/kernel-%s", releases[i]);

		put_file(kernel, "build/include/config/kernel.release",
			 releases[i]);
	}
}

TestSuite(kernel, .init = setup, .fini = teardown_tmp);

Test(kernel, disk_and_store_are_one_list_the_newest_first)
{
	static const struct {
		const char *text;
		bool is_on_disk, is_in_store;
	} rows[] = {
		{ "6.12.117-vmtest1.0tiny", false, true }, // of aarch64
		{ "6.12.117-vmtest1.1default", true, false },
		{ "6.12.117-vmtest1.0tiny", true, false },
		{ "6.12.116-vmtest1.0tiny", false, true },
		{ "6.12.115-vmtest1.0tiny", true, true },
		{ "6.1.9-vmtest1.1default", true, false },
	};
	struct asset items[] = {
		{ .name = (char *)"kernel-6.12.117-vmtest1.0tiny.aarch64.tar.zst" },
		{ .name = (char *)"kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst" },
		{ .name = (char *)"kernel-6.12.116-vmtest1.0tiny.x86_64.tar.zst" },
		{ .name = (char *)"README.md" },
	};
	const struct asset_list assets = { items, array_size(items) };
	_cleanup_kernel_list_ struct kernel_list list = { 0 };

	cr_assert_null(kernel_list_add_disk(&list, tmp, "s390x"));
	cr_assert_null(kernel_list_add_disk(&list, tmp, "x86_64"));
	kernel_list_add_store(&list, &assets, "x86_64");
	kernel_list_add_store(&list, &assets, "aarch64");
	cr_assert_eq(list.count, array_size(rows));
	for (size_t i = 0; i < list.count; i++) {
		cr_expect_str_eq(list.items[i].text, rows[i].text);
		cr_expect_eq(list.items[i].path != NULL, rows[i].is_on_disk);
		cr_expect_eq(list.items[i].asset != NULL, rows[i].is_in_store);
	}
}

Test(kernel, patterns_and_flavors_mean_kernels)
{
	const struct kernel_entry entry = {
		.release = { .flavor = "tiny" },
		.text = "6.12.115-vmtest1.0tiny",
	};
	char *items[] = { (char *)"default", (char *)"tiny", NULL };
	const struct string_list one = { items, 1 }, both = { items, 2 };
	const struct string_list none = { 0 };

	cr_expect(kernel_is_wanted(&entry, NULL, &none));
	cr_expect(kernel_is_wanted(&entry, "6.12*", &both));
	cr_expect_not(kernel_is_wanted(&entry, "6.12*", &one));
	cr_expect_not(kernel_is_wanted(&entry, "5.4", &none));
}

static size_t prune(const struct string_list *kernels,
		    const struct string_list *flavors, bool dry_run)
{
	static const struct string_list all = { 0 };
	const struct release_selection selection = { kernels, &all, flavors };
	_cleanup_string_list_ struct string_list deleted = { 0 };

	cr_assert_null(
		kernel_prune(tmp, "x86_64", &selection, 1, dry_run, &deleted));
	return deleted.count;
}

Test(kernel, pruning_spares_the_newest_those_in_use_and_what_is_not_selected)
{
	static const struct string_list all = { 0 };
	char *other_items[] = { (char *)"default", NULL };
	const struct string_list other = { other_items, 1 };
	_cleanup_free_ char *old =
		path_joinf(tmp, "x86_64/kernel-%s", releases[0]);
	struct kernel kernel = { 0 };

	cr_expect_eq(prune(&other, &all, false), 0);
	cr_expect_eq(prune(&all, &other, false), 0);
	cr_assert_null(kernel_open(old, &kernel));
	cr_expect_str_eq(kernel.release, releases[0]);
	cr_expect_eq(prune(&all, &all, false), 0);
	kernel_deinit(&kernel);
	cr_expect_eq(prune(&all, &all, true), 1);
	cr_expect(directory_exists(old));
	cr_expect_eq(prune(&all, &all, false), 1);
	cr_expect_not(directory_exists(old));
}

Test(kernel, a_release_is_one_plain_word)
{
	static const char *const cases[] = {
		"", "\n", "../x", ".x", "a b", "a/b", "\x1b[31m6.12", "6.12\xff"
	};
	_cleanup_free_ char *directory =
		path_joinf(tmp, "x86_64/kernel-%s", releases[0]);

	for (size_t i = 0; i < array_size(cases); i++) {
		struct kernel kernel = { 0 };

		put_file(directory, "build/include/config/kernel.release",
			 cases[i]);
		struct error *err = kernel_open(directory, &kernel);
		cr_expect(err && !strchr(error_message(err), '\x1b'));
		expect_failure(err, "kernel.release");
	}
	struct kernel none = { 0 };
	expect_kind(kernel_open("/", &none), ERROR_NOT_FOUND, "/");
	expect_kind(kernel_open("/no/such", &none), ERROR_NOT_FOUND, "/no/such");
}
