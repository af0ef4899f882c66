// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/crash/dump.h"

#include <criterion/criterion.h>
#include <endian.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/error.h"
#include "tests/unit/errors.h"

static void add_record(int fd, int64_t offset, const char *data)
{
	const uint64_t numbers[] = { htobe64((uint64_t)offset),
				     htobe64(strlen(data)) };

	cr_assert_eq(write(fd, numbers, sizeof(numbers)), sizeof(numbers));
	cr_assert_eq(write(fd, data, strlen(data)), (ssize_t)strlen(data));
}

/** A stream whose records come in another order than the file's. */
static int make_stream(const char *signature)
{
	static const char zeros[4096];
	int fd = memfd_create("stream", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
	cr_assert_eq(pwrite(fd, signature, strlen(signature), 0),
		     (ssize_t)strlen(signature));
	add_record(fd, 1000, "pages");
	add_record(fd, 0, "KDUMP   ");
	add_record(fd, -1, "");
	lseek(fd, 0, SEEK_SET);
	return fd;
}

Test(unflatten, a_stream_becomes_a_file_that_names_its_kernel)
{
	_cleanup_close_ int from = make_stream("makedumpfile");
	_cleanup_close_ int to = memfd_create("file", MFD_CLOEXEC);
	char data[1005];

	cr_assert_null(dump_unflatten(from, to, "6.1.0-x"));
	cr_assert_eq(pread(to, data, sizeof(data), 0), sizeof(data));
	cr_expect_eq(memcmp(data, "KDUMP   ", 8), 0);
	cr_expect_eq(memcmp(data + 1000, "pages", 5), 0);
	cr_expect_str_eq(data + 12, "Linux");
	cr_expect_str_eq(data + 12 + 2 * 65, "6.1.0-x");
}

Test(unflatten, what_is_no_stream_is_an_error)
{
	_cleanup_close_ int other = make_stream("something else");
	_cleanup_close_ int cut = make_stream("makedumpfile");
	_cleanup_close_ int empty = memfd_create("empty", MFD_CLOEXEC);
	_cleanup_close_ int to = memfd_create("file", MFD_CLOEXEC);

	cr_assert_eq(ftruncate(cut, 4096 + 30), 0);
	expect_failure(dump_unflatten(other, to, "x"), "none of makedumpfile");
	expect_failure(dump_unflatten(cut, to, "x"), "not whole");
	expect_failure(dump_unflatten(empty, to, "x"), "not whole");
}
