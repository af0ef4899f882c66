// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/confine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/unit/files.h"

TestSuite(server_filter, .init = setup_tmp, .fini = teardown_tmp);

/** Enter the test's directory, and be filtered from here on. */
static void filter(enum server_kind kind)
{
	put_file(tmp, "file", "");
	cr_assert_eq(chdir(tmp), 0);
	cr_assert_eq(chmod("file", 0640), 0);
	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
			   server_filter(kind)),
		     0);
	umask(0);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) < 0 ? 0 : st.st_mode & 07777;
}

static void expect_errno(const char *what, long result, int errnum)
{
	cr_expect_eq(result, -1, "%s", what);
	cr_expect_eq(errno, errnum, "%s: %m", what);
}

static void expect_refused(const char *what, long result)
{
	expect_errno(what, result, EPERM);
}

Test(server_filter, no_file_gets_setuid_or_setgid)
{
	filter(SERVER_WRITES);

	int fd = open("file", O_RDWR | O_CLOEXEC);
	expect_refused("chmod", chmod("file", 04755));
	expect_refused("chmod, both", chmod("file", 06755));
	expect_refused("fchmod", fchmod(fd, 04755));
	expect_refused("fchmodat", fchmodat(AT_FDCWD, "file", 04755, 0));
	cr_expect_eq(chmod("file", 02755), 0);
	cr_expect_eq(fchmod(fd, 02755), 0);
	cr_expect_eq(mode_of("file"), 0640);
	for (mode_t bit = S_ISGID; bit <= S_ISUID; bit *= 2) {
		expect_refused("open", open("x", O_CREAT | O_RDWR, 0755 | bit));
		expect_refused("openat", openat(AT_FDCWD, "x", O_CREAT | O_RDWR,
						0755 | bit));
		expect_refused("creat", creat("x", 0755 | bit));
		expect_refused("mknod", mknod("x", S_IFREG | 0755 | bit, 0));
	}
#ifdef SYS_chmod
	expect_refused("SYS_chmod", syscall(SYS_chmod, "file", 04755));
	expect_refused("SYS_open", syscall(SYS_open, "x", O_CREAT, 04755));
	expect_refused("SYS_creat", syscall(SYS_creat, "x", 04755));
	expect_refused("SYS_mknod", syscall(SYS_mknod, "x", 04755, 0));
#endif
	cr_expect_eq(syscall(SYS_openat2, AT_FDCWD, "file", NULL, 0), -1);
	cr_expect_eq(errno, ENOSYS);
	cr_expect_eq(access("x", F_OK), -1);
	close(fd);
}

Test(server_filter, all_else_is_as_ever)
{
	filter(SERVER_WRITES);
	cr_expect_eq(chmod("file", 01711), 0);
	cr_expect_eq(mode_of("file"), 01711);
	int fd = open("new", O_CREAT | O_RDWR | O_CLOEXEC, 0751);
	cr_expect_geq(fd, 0);
	cr_expect_eq(fchmod(fd, 0604), 0);
	close(fd);
	cr_expect_eq(mode_of("new"), 0604);
	// As a kernel asks for it in a directory that has the bit.
	cr_expect_eq(mkdir("directory", 02750), 0);
	cr_expect_eq(mode_of("directory") & 0777, 0750);
	cr_expect_eq(mkfifo("pipe", 0640), 0);
}

Test(server_filter, files_can_be_the_caller_s)
{
	const uid_t uid = geteuid();

	filter(SERVER_WRITES_AS_CALLER);
	cr_expect_eq(syscall(SYS_setresuid, -1, 12345, -1), 0);
	cr_expect_eq(syscall(SYS_setresgid, -1, 12345, -1), 0);
	cr_expect_eq(syscall(SYS_setgroups, 0, NULL), 0);
	cr_expect_eq(geteuid(), uid);
	expect_refused("chmod", chmod("file", 04755));
}

Test(server_filter, a_reader_changes_no_attribute)
{
	filter(SERVER_READS);
	int fd = open("file", O_RDONLY | O_CLOEXEC);

	expect_errno("chmod", chmod("file", 0600), EROFS);
	expect_errno("fchmod", fchmod(fd, 0600), EROFS);
	expect_errno("fchmodat", fchmodat(AT_FDCWD, "file", 0600, 0), EROFS);
	expect_errno("chown", chown("file", 1, 1), EROFS);
	expect_errno("lchown", lchown("file", 1, 1), EROFS);
	expect_errno("fchown", fchown(fd, 1, 1), EROFS);
	expect_errno("fchownat", fchownat(AT_FDCWD, "file", 1, 1, 0), EROFS);
	expect_errno("truncate", truncate("file", 1), EROFS);
	expect_errno("utimensat", utimensat(AT_FDCWD, "file", NULL, 0), EROFS);
	expect_errno("futimens", futimens(fd, NULL), EROFS);
	expect_errno("setxattr", setxattr("file", "user.x", "", 0, 0), EROFS);
	expect_errno("lsetxattr", lsetxattr("file", "user.x", "", 0, 0), EROFS);
	expect_errno("fsetxattr", fsetxattr(fd, "user.x", "", 0, 0), EROFS);
	expect_errno("removexattr", removexattr("file", "user.x"), EROFS);
	expect_errno("lremovexattr", lremovexattr("file", "user.x"), EROFS);
	expect_errno("fremovexattr", fremovexattr(fd, "user.x"), EROFS);
	cr_expect_eq(mode_of("file"), 0640);
	close(fd);
}
