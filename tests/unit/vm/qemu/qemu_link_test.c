// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu_link.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"

Test(qemu_link, a_disk_is_empty_sparse_and_without_a_name)
{
	char folder[] = "/tmp/qemu_link_test.XXXXXX";
	struct stat st;
	_cleanup_close_ int fd = -1;

	cr_assert(mkdtemp(folder));
	cr_assert_null(qemu_disk_create(folder, (uint64_t)8 << 30, &fd));
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_size, (off_t)8 << 30);
	cr_expect_eq(st.st_blocks, 0);
	cr_expect_eq(st.st_nlink, 0);
	cr_expect_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	// An empty folder is all that rmdir() deletes.
	cr_expect_eq(rmdir(folder), 0);
}

Test(qemu_link, a_disk_that_cannot_be_names_the_directory)
{
	int fd = -1;
	_cleanup_error_ struct error *err = qemu_disk_create("/no/such", 1, &fd);

	cr_assert(err);
	cr_expect_str_eq(error_message(err),
			 "make a disk in /no/such: No such file or directory");
	cr_expect_eq(fd, -1);
}
