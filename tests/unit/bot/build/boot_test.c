// SPDX-License-Identifier: LGPL-2.1-or-later

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "bot/build/build.h"
#include "bot/plan/plan.h"
#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/kernel/catalog.h"
#include "tests/unit/files.h"

/** A package as far as its files go, of a kernel that is none. */
static char *make_package(const char *root, const char *release)
{
	static const struct pack_options options = { 0 };
	_cleanup_free_ char *directory = path_join(root, "package");
	char *path = path_join(root, "package.tar.zst");

	put_file(directory, "vmlinuz", "This is no kernel.\n");
	put_file(directory, "build/.config", "CONFIG_HZ=100\n");
	put_file(directory, "build/include/config/kernel.release", release);
	cr_assert_null(pack_directory(directory, path, &options));
	return path;
}

Test(boot, what_is_no_kernel_fails_and_leaves_nothing)
{
	_cleanup_close_ int lock_fd = -1;
	_cleanup_directory_ char *root = NULL;
	_cleanup_catalog_ struct catalog *catalog = NULL;
	struct plan_item item = { .release_text = "6.12.117-vmtest1.0tiny" };

	cr_assert_null(directory_create_temporary("/tmp", "vmtest-boot", &root,
						  &lock_fd));
	cr_assert_null(catalog_load(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				    NULL, &catalog));
	cr_assert(release_parse(item.release_text, &item.release));
	cr_assert_null(catalog_find_arch(catalog, "x86_64", &item.arch));
	_cleanup_free_ char *package =
		make_package(root, "6.12.117-vmtest1.0tiny\n");
	_cleanup_free_ char *directory = path_join(root, "work");
	cr_assert_null(directory_create(directory));
	const struct build_request request = {
		.catalog = catalog,
		.directory = directory,
	};
	_cleanup_error_ struct error *err = boot_test(&request, &item, package);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(error_message(err),
				  "boot test of 6.12.117-vmtest1.0tiny: "),
			   "%s", error_message(err));
	// It was tried.
	cr_expect_null(strstr(error_message(err), "deleting"));
	cr_expect_eq(rmdir(directory), 0, "something is left");
}
