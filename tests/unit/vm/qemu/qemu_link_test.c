// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/process/process.h"
#include "tests/unit/errors.h"

Test(qemu_link, a_disk_is_empty_sparse_and_without_a_name)
{
	char directory[] = "/tmp/qemu_link_test.XXXXXX";
	struct stat st;
	_cleanup_close_ int fd = -1;

	cr_assert(mkdtemp(directory));
	cr_assert_null(qemu_disk_create(directory, (uint64_t)8 << 30, &fd));
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_size, (off_t)8 << 30);
	cr_expect_eq(st.st_blocks, 0);
	cr_expect_eq(st.st_nlink, 0);
	cr_expect_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	// An empty directory is all that rmdir() deletes.
	cr_expect_eq(rmdir(directory), 0);
}

Test(qemu_link, a_disk_that_cannot_be_names_the_directory)
{
	int fd = -1;

	expect_failure(qemu_disk_create("/no/such", 1, &fd),
		       "make a disk in /no/such: No such file or directory");
	cr_expect_eq(fd, -1);
}

Test(qemu_link, confinement_closes_proc_and_leaves_all_else_as_it_is)
{
	static const char *const scripts[] = {
		"! cat /proc/self/environ 2>/dev/null",
		"! cat /proc/1/cmdline 2>/dev/null",
		"! cat /proc/version 2>/dev/null",
		"read -r line </etc/passwd",
		"head -c 1 /dev/zero >/dev/null",
		"read -r line </proc/cpuinfo",
		"cd \"$(mktemp -d)\" && mkdir a b && : >a/x && mv a/x b && "
		"ln b/x a/x && cd .. && rm -r \"$OLDPWD\"",
	};

	_cleanup_close_ int fd = -1;
	cr_assert_null(qemu_confine(&fd));
	if (fd < 0)
		cr_skip_test("the kernel has no Landlock, or an old one");
	for (size_t i = 0; i < array_size(scripts); i++) {
		_cleanup_error_ struct error *err =
			process_run(&(struct process_options){
				.arguments = (const char *[]){ "sh", "-c",
							       scripts[i], NULL },
				.ruleset_fd = &fd,
			});

		cr_expect_null(err, "%s", scripts[i]);
	}
}
