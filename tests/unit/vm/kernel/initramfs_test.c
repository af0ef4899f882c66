// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/kernel/initramfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>

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
	put_file(tmp, "kernel/fs/overlayfs/overlay.ko.zst", "o");
	put_file(tmp, "kernel/net/9p/9pnet.ko", "n");
	put_file(tmp, "kernel/fs/9p/9p.ko", "9");
	put_file(tmp, "kernel/fs/netfs.ko", "f");
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
	put_file(tmp, "kernel/virtio-pci.ko", "v");
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
	put_file(tmp, "kernel/9p.ko", "9");
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
