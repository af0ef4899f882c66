// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/kernel/initramfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

#define WITHOUT_DEV                                                            \
	"CONFIG_BINFMT_ELF=y\nCONFIG_BINFMT_SCRIPT=y\nCONFIG_DEVTMPFS=y\n"     \
	"CONFIG_TMPFS=y\nCONFIG_TMPFS_XATTR=y\n"                               \
	"CONFIG_TTY=y\nCONFIG_PROC_FS=y\nCONFIG_SYSFS=y\n"                     \
	"CONFIG_MAGIC_SYSRQ=y\nCONFIG_PCI=y\nCONFIG_VIRTIO_PCI=y\n"            \
	"CONFIG_VIRTIO_CONSOLE=y\nCONFIG_NET_9P_VIRTIO=y\n"
#define BUILT_IN WITHOUT_DEV "CONFIG_DEVTMPFS_MOUNT=y\n"

TestSuite(initramfs, .init = setup_tmp, .fini = teardown_tmp);

/** The archive's names, separated by spaces; free(). */
static char *list(void)
{
	_cleanup_free_ char *path = path_join(tmp, INITRAMFS_FILE);
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;

	archive_read_support_format_cpio(archive);
	cr_assert_eq(archive_read_open_filename(archive, path, 65536),
		     ARCHIVE_OK);
	while (archive_read_next_header(archive, &entry) == ARCHIVE_OK)
		string_builder_appendf(&sb, "%s ", archive_entry_pathname(entry));
	archive_read_free(archive);
	return string_builder_take(&sb);
}

Test(initramfs, modules_come_after_what_they_need)
{
	_cleanup_free_ char *names = NULL;

	put_file(tmp, "modules.dep",
		 "kernel/fs/overlayfs/overlay.ko.zst:\n"
		 "kernel/net/9p/9pnet.ko: kernel/fs/netfs.ko\n"
		 "kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs.ko\n"
		 "kernel/fs/netfs.ko:\n");
	put_file(tmp, "kernel/fs/overlayfs/overlay.ko.zst", "\177ELF");
	put_file(tmp, "kernel/net/9p/9pnet.ko", "\177ELF");
	put_file(tmp, "kernel/fs/9p/9p.ko", "\177ELF");
	put_file(tmp, "kernel/fs/netfs.ko", "\177ELF");
	cr_assert_null(initramfs_make(tmp, BUILT_IN
				      "CONFIG_9P_FS=m\nCONFIG_OVERLAY_FS=m\n"
				      "CONFIG_BLK_DEV_INITRD=y\n"));
	names = list();
	cr_expect_str_eq(names,
			 "bin modules proc init bin/busybox modules/00-netfs.ko "
			 "modules/01-9pnet.ko modules/02-9p.ko "
			 "modules/03-overlay.ko.zst ");
}

Test(initramfs, a_dash_in_a_file_is_an_underscore_in_a_module)
{
	_cleanup_free_ char *names = NULL;

	put_file(tmp, "modules.dep", "kernel/virtio-pci.ko:\n");
	put_file(tmp, "kernel/virtio-pci.ko", "\177ELF");
	// Without a configuration, what is no module is taken for built in.
	cr_assert_null(initramfs_make(tmp, ""));
	names = list();
	cr_expect(strstr(names, "modules/00-virtio-pci.ko "));
}

Test(initramfs, there_is_none_for_a_kernel_that_needs_no_modules)
{
	_cleanup_free_ char *path = path_join(tmp, INITRAMFS_FILE);

	cr_assert_null(initramfs_make(tmp, BUILT_IN
				      "CONFIG_9P_FS=y\nCONFIG_OVERLAY_FS=y\n"));
	cr_assert_null(initramfs_make(tmp, ""));
	cr_expect_not(file_exists(path));
}

Test(initramfs, what_a_kernel_lacks_is_named)
{
	put_file(tmp, "modules.dep", "kernel/9p.ko:\n");
	put_file(tmp, "kernel/9p.ko", "\177ELF");
	expect_failure(initramfs_make(tmp, BUILT_IN "CONFIG_9P_FS=m\n"),
		       "lacks CONFIG_OVERLAY_FS, CONFIG_BLK_DEV_INITRD,");
}

Test(initramfs, who_does_not_mount_dev_has_one)
{
	_cleanup_free_ char *names = NULL;

	cr_assert_null(initramfs_make(tmp, WITHOUT_DEV
				      "CONFIG_9P_FS=y\nCONFIG_OVERLAY_FS=y\n"
				      "CONFIG_BLK_DEV_INITRD=y\n"));
	names = list();
	cr_expect_str_eq(names, "bin modules proc init bin/busybox ");
}

Test(initramfs, virtiofs_is_taken_where_there_is_no_9p)
{
	_cleanup_free_ char *names = NULL;

	put_file(tmp, "modules.dep",
		 "kernel/fs/fuse/virtiofs.ko: kernel/fs/fuse/fuse.ko\n");
	put_file(tmp, "kernel/fs/fuse/virtiofs.ko", "\177ELF");
	put_file(tmp, "kernel/fs/fuse/fuse.ko", "\177ELF");
	cr_assert_null(initramfs_make(tmp, BUILT_IN
				      "CONFIG_OVERLAY_FS=y\nCONFIG_VIRTIO_FS=m\n"
				      "CONFIG_BLK_DEV_INITRD=y\n"));
	names = list();
	cr_expect_str_eq(names, "bin modules proc init bin/busybox "
				"modules/00-fuse.ko modules/01-virtiofs.ko ");
}

Test(initramfs, with_neither_both_are_named)
{
	expect_failure(initramfs_make(tmp, BUILT_IN "CONFIG_OVERLAY_FS=y\n"),
		       "lacks CONFIG_9P_FS, built in or as modules that are "
		       "installed; instead of 9P, CONFIG_VIRTIO_FS will do");
}

/** Of what our own configuration calls essential. */
Test(initramfs, all_that_is_essential_is_asked_for)
{
	_cleanup_free_ char *base =
		get_file(VMTEST_SOURCE_DIR, "configs/base.config");
	_cleanup_error_ struct error *err = NULL;

	err = initramfs_make(tmp, "CONFIG_PCI=y\n");
	cr_assert(err);
	for (char *line, *next = base; (line = strsep(&next, "\n"));) {
		const char *const implied[] = { "CONFIG_PCI", "CONFIG_NET",
						"CONFIG_NET_9P", "CONFIG_SHMEM",
						// Its console says less.
						"CONFIG_PRINTK",
						"CONFIG_DEVTMPFS_MOUNT" };
		bool is_implied = !strstr(line, "[essential]") || *line == '#';

		line[strcspn(line, "=")] = '\0';
		for (size_t i = 0; i < array_size(implied); i++)
			is_implied |= strcmp(line, implied[i]) == 0;
		cr_expect(is_implied || strstr(error_message(err), line), "%s",
			  line);
	}
}

/** Those of a hostile kernel: they are read for a guest that may not. */
Test(initramfs, what_is_no_module_of_the_kernel_is_not_read)
{
	static const struct {
		const char *needed, *words;
	} rows[] = {
		{ "../secret", "not below it" },
		{ "kernel/../../secret", "not below it" },
		{ "/etc/passwd", "not below it" },
		{ "kernel/link.ko", "is no module" },
		{ "kernel/text.ko", "is no module" },
		{ "kernel", "no such file" },
		{ "kernel/gone.ko", "no such file" },
	};
	_cleanup_free_ char *kernel = path_join(tmp, "k");
	_cleanup_free_ char *link = path_join(tmp, "k/kernel/link.ko");

	put_file(tmp, "secret", "secret");
	put_file(kernel, "kernel/text.ko", "text");
	put_file(kernel, "kernel/9p.ko", "\177ELF");
	cr_assert_eq(symlink("../../secret", link), 0);
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *line =
			string_format("kernel/9p.ko: %s\n", rows[i].needed);

		put_file(kernel, "modules.dep", line);
		expect_failure(initramfs_make(kernel, ""), rows[i].words);
	}
}

/** libarchive does so for some formats. */
Test(initramfs, no_program_is_run_for_a_module)
{
	_cleanup_free_ char *program = path_join(tmp, "bin");
	_cleanup_free_ char *path =
		string_format("%s:%s", program, getenv("PATH"));
	_cleanup_free_ char *script =
		string_format("#!/bin/sh\n: >%s/ran\nprintf '\\177ELF'\n", tmp);
	_cleanup_free_ char *module = path_join(tmp, "kernel/9p.ko");
	static const char data[64] = "LRZI\0\6";

	put_program(tmp, "bin/lrzip", script);
	setenv("PATH", path, 1);
	put_file(tmp, "modules.dep", "kernel/9p.ko:\n");
	put_file(tmp, "kernel/9p.ko", "");
	cr_assert_null(file_write(module, data, sizeof(data)));
	expect_failure(initramfs_make(tmp, ""), "is no module");
	cr_expect_not(is_there(tmp, "ran"));
}

Test(initramfs, a_module_that_swells_is_none)
{
	enum {
		PIECE = 1 << 20
	};
	_cleanup_free_ char *path = path_join(tmp, "kernel/9p.ko");
	_cleanup_free_ char *piece = memory_allocate(PIECE, 1);
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	put_file(tmp, "modules.dep", "kernel/9p.ko:\n");
	put_file(tmp, "kernel/9p.ko", "");
	archive_write_set_format_raw(archive);
	archive_write_add_filter_zstd(archive);
	cr_assert_eq(archive_write_open_filename(archive, path), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	cr_assert_eq(archive_write_header(archive, entry), ARCHIVE_OK);
	memcpy(piece, "\177ELF", 4);
	for (size_t i = 0; i < 260; i++)
		cr_assert_eq(archive_write_data(archive, piece, PIECE), PIECE);
	cr_assert_eq(archive_write_close(archive), ARCHIVE_OK);
	archive_write_free(archive);
	archive_entry_free(entry);
	expect_failure(initramfs_make(tmp, ""), "is no module");
}
