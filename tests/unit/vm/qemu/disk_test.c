// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static struct disk_list list;

static void setup(void)
{
	setup_tmp();
	list = (struct disk_list){ 0 };
}

static void teardown(void)
{
	disk_list_deinit(&list);
	teardown_tmp();
}

TestSuite(disk, .init = setup, .fini = teardown);

Test(disk, files_have_suffixes_and_follow_the_empty_ones)
{
	static const char modular[] =
		"CONFIG_VIRTIO_BLK=y\nCONFIG_SCSI_VIRTIO=m\nCONFIG_BLK_DEV_SD=m\n"
		"CONFIG_BLK_DEV_NVME=m\n";
	// clang-format off
	static const struct {
		const char *text, *node, *drive;
		/** QEMU's last argument. */
		const char *device;
	} rows[] = {
		{ "/dev/null", "/dev/vdc", "format=raw,if=none,id=disk2,auto-read-only=off,discard=unmap,readonly=off", "virtio-blk,drive=disk2,serial=disk0" },
		{ "/dev/null,readonly", "/dev/vdc", "readonly=on", "virtio-blk,drive=disk2,serial=disk0" },
		{ "/dev/null,format=qcow2,interface=nvme", "/dev/nvme0n1", "format=qcow2,", "nvme,drive=disk2,serial=disk0" },
		{ "/dev/null,interface=scsi,readonly", "/dev/sda", "readonly=on", "scsi-hd,drive=disk2,serial=disk0" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_list_ struct string_list arguments = { 0 };

		expect_success(disk_list_create(&list, DISK_EMPTY, tmp, 1, ""));
		expect_success(disk_list_create(&list, DISK_OVERLAY, tmp, 1, ""));
		expect_success(disk_list_open(&list, rows[i].text, modular));
		_cleanup_free_ char *nodes = disk_list_nodes(&list, DISK_FILE);
		_cleanup_free_ char *empty = disk_list_nodes(&list, DISK_EMPTY);
		_cleanup_free_ char *overlay =
			disk_list_nodes(&list, DISK_OVERLAY);
		cr_expect_str_eq(nodes, rows[i].node);
		cr_expect_str_eq(empty, "/dev/vda");
		cr_expect_str_eq(overlay, "/dev/vdb");
		disk_list_add_arguments(&list, &arguments);
		cr_expect_not_null(strstr(arguments.items[arguments.count - 3],
					  rows[i].drive),
				   "%s", rows[i].text);
		cr_expect_str_eq(arguments.items[arguments.count - 1],
				 rows[i].device);
		disk_list_deinit(&list);
	}
}

Test(disk, those_of_one_interface_share_a_controller_and_count)
{
	static const char *const texts[] = {
		"/dev/null,interface=scsi",
		"/dev/null,interface=nvme",
		"/dev/null",
		"/dev/null,interface=scsi",
		"/dev/null,interface=nvme",
	};
	_cleanup_string_list_ struct string_list arguments = { 0 };
	_cleanup_string_list_ struct string_list modules = { 0 };

	for (size_t i = 0; i < array_size(texts); i++)
		expect_success(disk_list_open(&list, texts[i], ""));
	_cleanup_free_ char *nodes = disk_list_nodes(&list, DISK_FILE);
	_cleanup_free_ char *none = disk_list_nodes(&list, DISK_EMPTY);
	cr_expect_str_eq(nodes,
			 "/dev/sda /dev/nvme0n1 /dev/vda /dev/sdb /dev/nvme1n1");
	cr_expect_str_eq(none, "");
	disk_list_add_arguments(&list, &arguments);
	cr_expect_eq(arguments.count, 5 * 6 + 2);
	disk_list_add_modules(&list, &modules);
	cr_expect_eq(modules.count, 4);
}

Test(disk, what_is_none_is_said)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "64M", NULL },
		{ "1T", NULL },
		{ "/proc/self/exe", NULL },
		{ "/proc/self/exe,readonly", NULL },
		{ "big",
		  "No such file or directory; use a number with M, G or T, or a file" },
		{ "0G", "use a number" },
		{ "1", "use a number" },
		{ "/proc/self/exe,interface=ide", "use a number" },
		{ "/proc/self/exe/x", "/proc/self/exe/x: Not a directory" },
		{ "/dev/null", "neither a file nor a block device" },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		expect_outcome(disk_check(rows[i].text), rows[i].message);
	expect_failure(
		disk_list_open(&list, "/dev/null,interface=nvme", "CONFIG_X=y\n"),
		"--disk /dev/null,interface=nvme: the kernel lacks CONFIG_BLK_DEV_NVME");
	expect_failure(disk_list_create(&list, DISK_EMPTY, tmp, 1, "CONFIG_X=y\n"),
		       "--disk: the kernel lacks CONFIG_VIRTIO_BLK");
	expect_failure(disk_list_create(&list, DISK_EMPTY, "/no/such", 1, ""),
		       "make a disk in /no/such: No such file or directory");
	cr_expect_eq(list.count, 0);
}

Test(disk, an_empty_one_is_sparse_and_without_a_name)
{
	struct stat st;

	expect_success(disk_list_create(&list, DISK_EMPTY, tmp,
					(uint64_t)8 << 30, ""));
	int fd = list.items[0].fd;
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_size, (off_t)8 << 30);
	cr_expect_eq(st.st_blocks, 0);
	cr_expect_eq(st.st_nlink, 0);
	cr_expect_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
}
