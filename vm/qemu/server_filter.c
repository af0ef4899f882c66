// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/confine.h"

#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/** Of Linux 6.6, 6.13 and 6.17; the same for all architectures. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_removexattrat 466
#endif
#ifndef SYS_file_setattr
#define SYS_file_setattr 469
#endif

enum {
	FAIL = SECCOMP_RET_ERRNO | EPERM,
	DO_NOTHING = SECCOMP_RET_ERRNO | 0,
	DO_OTHERWISE = SECCOMP_RET_ERRNO | ENOSYS,
	IS_BIG_ENDIAN = BYTE_ORDER == BIG_ENDIAN,
};

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define RETURN(answer) BPF_STMT(BPF_RET | BPF_K, (uint32_t)(answer))
#define LOAD_NUMBER LOAD(offsetof(struct seccomp_data, nr))

/** Of a system call, an argument that is a mode, and the answer to setgid. */
#define CHECK(number, argument, answer)                                        \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 6),                     \
		LOAD(offsetof(struct seccomp_data, args[argument]) +           \
		     4 * IS_BIG_ENDIAN),                                       \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, S_ISUID, 0, 1),           \
		RETURN(FAIL),                                                  \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, S_ISGID, 0, 1),           \
		RETURN(answer), RETURN(SECCOMP_RET_ALLOW)

/** Other architectures' calls are for what a server has of its own. */
static struct sock_filter instructions[] = {
	LOAD_NUMBER,
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setresuid, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setresgid, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setgroups, 0, 1),
	RETURN(DO_NOTHING),
	// From here on, for all servers.
	LOAD_NUMBER,
	// It has its mode where a filter cannot see it. Servers do without.
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
	RETURN(DO_OTHERWISE),
	CHECK(SYS_openat, 3, FAIL),
	CHECK(SYS_mknodat, 2, FAIL),
	CHECK(SYS_fchmod, 1, DO_NOTHING),
	CHECK(SYS_fchmodat, 2, DO_NOTHING),
	CHECK(SYS_fchmodat2, 2, DO_NOTHING),
#ifdef SYS_open
	CHECK(SYS_open, 2, FAIL),
	CHECK(SYS_creat, 1, FAIL),
	CHECK(SYS_mknod, 1, FAIL),
	CHECK(SYS_chmod, 1, DO_NOTHING),
#endif
	RETURN(SECCOMP_RET_ALLOW),
};

#define REFUSE(number)                                                         \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),                     \
		RETURN(SECCOMP_RET_ERRNO | EROFS)

/** With no descriptor to write to, there is no other way to change a file. */
static struct sock_filter reader_instructions[] = {
	LOAD_NUMBER,
	REFUSE(SYS_fchmod),
	REFUSE(SYS_fchmodat),
	REFUSE(SYS_fchmodat2),
	REFUSE(SYS_fchown),
	REFUSE(SYS_fchownat),
	REFUSE(SYS_truncate),
	REFUSE(SYS_utimensat),
	REFUSE(SYS_setxattr),
	REFUSE(SYS_lsetxattr),
	REFUSE(SYS_fsetxattr),
	REFUSE(SYS_setxattrat),
	REFUSE(SYS_removexattr),
	REFUSE(SYS_lremovexattr),
	REFUSE(SYS_fremovexattr),
	REFUSE(SYS_removexattrat),
	REFUSE(SYS_file_setattr),
#ifdef SYS_open
	REFUSE(SYS_chmod),
	REFUSE(SYS_chown),
	REFUSE(SYS_lchown),
	REFUSE(SYS_utime),
	REFUSE(SYS_utimes),
	REFUSE(SYS_futimesat),
#endif
	RETURN(SECCOMP_RET_ALLOW),
};

const struct sock_fprog *server_filter(enum server_kind kind)
{
	enum {
		COUNT = sizeof(instructions) / sizeof(*instructions),
		IDS = 5,
	};
	static const struct sock_fprog programs[] = {
		[SERVER_WRITES] = { COUNT - IDS, instructions + IDS },
		[SERVER_WRITES_AS_CALLER] = { COUNT, instructions },
		[SERVER_READS] = { sizeof(reader_instructions) /
					   sizeof(*reader_instructions),
				   reader_instructions },
	};

	return &programs[kind];
}
