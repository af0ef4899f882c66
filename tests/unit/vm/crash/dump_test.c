// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/crash/dump.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static void make_dump(const char *image)
{
	char *words[] = { (char *)"run", (char *)"--", (char *)"a b", NULL };
	const struct dump_info info = {
		.vmtest = (char *)"1.0",
		.qemu = (char *)"",
		.release = (char *)"6.1.0-x",
		.arch = (char *)"x86_64",
		.kernel = (char *)"kernel",
		.reason = (char *)"Kernel panic",
		.directory = (char *)"/work",
		.words = { words, 3 },
	};

	cr_assert_null(directory_create("kernel"));
	cr_assert_null(directory_create_private("x.dump"));
	cr_assert_null(file_write("kernel/vmlinuz", image, strlen(image)));
	cr_assert_null(dump_info_write(&info, "x.dump"));
}

Test(dump, what_is_written_is_read, .init = enter_tmp, .fini = teardown_tmp)
{
	_cleanup_dump_info_ struct dump_info info = { 0 };

	make_dump("one");
	cr_assert_null(dump_info_read("x.dump", &info));
	cr_expect_str_eq(info.release, "6.1.0-x");
	cr_expect_str_eq(info.directory, "/work");
	cr_expect_null(info.module);
	cr_assert_eq(info.words.count, 3);
	cr_expect_str_eq(info.words.items[2], "a b");
	cr_expect_null(dump_info_check_kernel(&info));
	cr_assert_null(file_write("kernel/vmlinuz", "two", 3));
	expect_failure(dump_info_check_kernel(&info), "another build of 6.1.0-x");
	cr_assert_null(directory_remove("kernel"));
	expect_failure(dump_info_check_kernel(&info), "6.1.0-x is gone");
}

Test(dump, what_others_could_write_is_not_read, .init = enter_tmp,
     .fini = teardown_tmp)
{
	_cleanup_dump_info_ struct dump_info info = { 0 };

	make_dump("one");
	expect_failure(dump_info_read("y.dump", &info), "no such file");
	cr_assert_eq(chmod("x.dump/dump.json", 0666), 0);
	expect_failure(dump_info_read("x.dump", &info), "copy the directory");
	cr_assert_eq(chmod("x.dump/dump.json", 0600), 0);
	cr_assert_eq(chmod("x.dump", 0777), 0);
	expect_failure(dump_info_read("x.dump", &info), "copy the directory");
}

Test(dump, a_pipe_is_not_waited_for, .init = enter_tmp, .fini = teardown_tmp,
     .timeout = 60)
{
	_cleanup_dump_info_ struct dump_info info = { 0 };

	cr_assert_null(directory_create_private("x.dump"));
	cr_assert_eq(mkfifo("x.dump/dump.json", 0600), 0);
	expect_failure(dump_info_read("x.dump", &info), "dump.json");
}
