// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/kernel/adopted.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"
#include "vm/kernel/kernel.h"

static const struct catalog_arch arch = {
	.name = "x86_64",
	.image_path = "arch/x86/boot/bzImage",
	.image_target = "bzImage",
};

static char *tree, *cache;

static void setup(void)
{
	setup_tmp();
	tree = path_join(tmp, "tree");
	cache = path_join(tmp, "cache");
	put_file(tree, "include/config/kernel.release", "6.12.0-mine+\n");
	put_file(tree, "arch/x86/boot/bzImage", "image");
	put_file(tree, "vmlinux", "vmlinux");
}

static void teardown(void)
{
	free(tree);
	free(cache);
	teardown_tmp();
}

TestSuite(adopted, .init = setup, .fini = teardown);

/** What a kernel's directory holds under a name; free(). */
static char *read_of(const struct kernel *kernel, const char *name)
{
	_cleanup_free_ char *path = path_join(kernel->path, name);
	char *text = NULL;

	cr_assert_null(file_read(path, 1 << 20, &text, NULL), "%s", path);
	return text;
}

Test(adopted, a_tree_and_what_is_in_it_are_one_kernel)
{
	static const char *const names[] = { "", "vmlinux",
					     "arch/x86/boot/bzImage" };
	_cleanup_free_ char *first = NULL;

	for (size_t i = 0; i < array_size(names); i++) {
		_cleanup_free_ char *path = path_join(tree, names[i]);
		_cleanup_kernel_ struct kernel kernel = { 0 };

		cr_assert_null(kernel_adopt(path, cache, &arch, &kernel));
		cr_expect_str_eq(kernel.release, "6.12.0-mine+");
		_cleanup_free_ char *image = read_of(&kernel, "vmlinuz");
		_cleanup_free_ char *vmlinux = read_of(&kernel, "build/vmlinux");
		cr_expect_str_eq(image, "image");
		cr_expect_str_eq(vmlinux, "vmlinux");
		if (!first)
			first = string_copy(kernel.path);
		cr_expect_str_eq(kernel.path, first);
	}
}

Test(adopted, a_tree_that_is_built_again_is_adopted_again)
{
	_cleanup_kernel_ struct kernel before = { 0 }, same = { 0 },
				       after = { 0 };

	cr_assert_null(kernel_adopt(tree, cache, &arch, &before));
	cr_assert_null(kernel_adopt(tree, cache, &arch, &same));
	put_file(tree, "include/config/kernel.release", "6.12.0-other\n");
	put_file(tree, "arch/x86/boot/bzImage", "another image");
	put_file(tree, ".config", "CONFIG_SMP=y\n");
	// It lacks what a guest needs, which is known now.
	expect_failure(kernel_adopt(tree, cache, &arch, &after),
		       "lacks CONFIG_BINFMT_ELF");
	put_file(tree, ".config",
		 "CONFIG_BINFMT_ELF=y\nCONFIG_BINFMT_SCRIPT=y\nCONFIG_DEVTMPFS=y\n"
		 "CONFIG_DEVTMPFS_MOUNT=y\nCONFIG_TTY=y\nCONFIG_PROC_FS=y\n"
		 "CONFIG_SYSFS=y\nCONFIG_TMPFS_XATTR=y\nCONFIG_MAGIC_SYSRQ=y\n"
		 "CONFIG_TMPFS=y\nCONFIG_VIRTIO_CONSOLE=y\nCONFIG_NET_9P_VIRTIO=y\n"
		 "CONFIG_9P_FS=y\nCONFIG_OVERLAY_FS=y\n");
	cr_assert_null(kernel_adopt(tree, cache, &arch, &after));
	cr_expect_str_eq(after.release, "6.12.0-other");
	cr_expect_str_eq(before.path, after.path);
}

/** A bzImage's header, with the release where it points to. */
static void put_image(const char *name, const char *release)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	char data[0x9000] = "MZ";

	memcpy(data + 0x202, "HdrS", 4);
	data[0x20e] = 0x00;
	data[0x20f] = 0x10;
	strcpy(data + 0x1200, release);
	_cleanup_free_ char *path = path_join(tmp, name);
	_cleanup_free_ char *parent = path_parent(path);
	cr_assert_null(directory_create(parent));
	cr_assert_null(file_write(path, data, sizeof(data)));
}

Test(adopted, an_image_tells_its_release_and_finds_what_is_installed_beside_it)
{
	static const struct {
		const char *image, *says, *release;
	} rows[] = {
		{ "boot/vmlinuz-6.1.0-57-amd64", "6.1.0-57-amd64 (a@b) #1",
		  "6.1.0-57-amd64" },
		{ "bzImage", "6.1.0-57-amd64 (a@b) #1", "6.1.0-57-amd64" },
		{ "vmlinuz-6.9-x", NULL, "6.9-x" },
		{ "vmlinuz", NULL, NULL },
		{ "image-", NULL, NULL },
		{ "bad", "../../x (a)", NULL },
		{ "option", "-C/etc (a)", NULL },
		{ "escape", "6\033[2J (a)", NULL },
		{ "empty", "", NULL },
	};

	put_file(tmp, "boot/config-6.1.0-57-amd64", "");
	put_file(tmp, "lib/modules/6.1.0-57-amd64/modules.dep", "");
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *path = path_join(tmp, rows[i].image);
		_cleanup_kernel_ struct kernel kernel = { 0 };

		if (rows[i].says)
			put_image(rows[i].image, rows[i].says);
		else
			put_file(tmp, rows[i].image, "data");
		struct error *err = kernel_adopt(path, cache, &arch, &kernel);
		if (!rows[i].release) {
			expect_failure(err, "tells its release");
			continue;
		}
		cr_assert_null(err, "%s", rows[i].image);
		cr_expect_str_eq(kernel.release, rows[i].release);
	}
}

Test(adopted, what_is_no_kernel_is_named)
{
	static const struct {
		const char *remove, *path, *message;
	} rows[] = {
		{ "", "none", "none" },
		{ "", "cache", "neither an unpacked package nor" },
		{ "tree/arch", "tree", "make bzImage" },
	};

	cr_assert_null(directory_create(cache));
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *path = path_join(tmp, rows[i].path);
		_cleanup_kernel_ struct kernel kernel = { 0 };

		if (*rows[i].remove) {
			_cleanup_free_ char *gone =
				path_join(tmp, rows[i].remove);

			cr_assert_null(directory_remove(gone));
		}
		expect_failure(kernel_adopt(path, cache, &arch, &kernel),
			       rows[i].message);
	}
}

Test(adopted, modules_that_are_not_built_are_named)
{
	static const char *const orders[] = { "kernel/fs/x/x.ko\n",
					      "fs/x/x.ko\n", "fs/x/x.o\n" };

	for (size_t i = 0; i < array_size(orders); i++) {
		_cleanup_kernel_ struct kernel kernel = { 0 };

		put_file(tree, "modules.order", orders[i]);
		expect_failure(kernel_adopt(tree, cache, &arch, &kernel),
			       "tree/fs/x/x.ko: no such file");
	}
}

Test(adopted, what_a_tree_names_elsewhere_is_refused)
{
	static const char *const lines[] = {
		"../../evil.ko",
		"kernel/../../../evil.o",
		"/evil.ko",
	};
	static const char *const releases[] = { "../../x", "-C/x", "a b", ".",
						"6\033[2J" };
	_cleanup_free_ char *evil = path_join(tmp, "cache/x86_64/evil.ko");

	put_file(tmp, "evil.ko", "evil");
	put_file(tree, "evil.ko", "evil");
	for (size_t i = 0; i < array_size(lines); i++) {
		_cleanup_kernel_ struct kernel kernel = { 0 };

		put_file(tree, "modules.order", lines[i]);
		expect_failure(kernel_adopt(tree, cache, &arch, &kernel),
			       "not below it");
	}
	cr_expect_not(is_there(tmp, "cache/x86_64/evil.ko"));
	put_file(tree, "modules.order", "evil.ko\n");
	for (size_t i = 0; i < array_size(releases); i++) {
		_cleanup_kernel_ struct kernel kernel = { 0 };

		put_file(tree, "include/config/kernel.release", releases[i]);
		expect_failure(kernel_adopt(tree, cache, &arch, &kernel),
			       "does not hold a kernel's release");
	}
}

Test(adopted, a_pipe_in_a_tree_is_not_waited_for, .timeout = 60)
{
	static const char *const names[] = { "include/config/kernel.release",
					     "arch/x86/boot/bzImage",
					     "modules.order", ".config" };

	for (size_t i = 0; i < array_size(names); i++) {
		_cleanup_free_ char *path = path_join(tree, names[i]);
		_cleanup_kernel_ struct kernel kernel = { 0 };
		_cleanup_error_ struct error *err = NULL;

		unlink(path);
		cr_assert_eq(mkfifo(path, 0600), 0);
		err = kernel_adopt(tree, cache, &arch, &kernel);
		cr_expect(err || i >= 2, "%s", names[i]);
		cr_assert_eq(unlink(path), 0);
		put_file(tree, names[i], i ? "" : "6.12.0\n");
	}
}

/** As of who gives others an image to try. */
Test(adopted, what_is_beside_an_image_does_not_lead_to_other_files)
{
	_cleanup_free_ char *image = path_join(tmp, "boot/vmlinuz-6.1.0-57");
	_cleanup_free_ char *link = path_join(tmp, "lib/modules/6.1.0-57/"
						   "initramfs.cpio");
	_cleanup_kernel_ struct kernel kernel = { 0 };

	put_image("boot/vmlinuz-6.1.0-57", "6.1.0-57");
	put_file(tmp, "precious", "precious");
	put_file(tmp, "lib/modules/6.1.0-57/modules.dep", "kernel/9p.ko:\n");
	put_file(tmp, "lib/modules/6.1.0-57/kernel/9p.ko", "\177ELF");
	cr_assert_eq(symlink("../../../precious", link), 0);
	cr_assert_null(kernel_adopt(image, cache, &arch, &kernel));
	_cleanup_free_ char *path = path_join(kernel.path, "initramfs.cpio");
	_cleanup_free_ char *made = NULL;
	cr_assert_null(file_read(path, 64 << 20, &made, NULL));
	cr_expect_eq(strncmp(made, "070701", 6), 0);
	expect_contents(tmp, "precious", "precious");
}
