// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/process/landlock.h"
#include "common/process/process.h"

/** More than a compiler needs, and less than the machine has. */
static const uint64_t memory_bytes = 4ULL << 30;

enum {
	READ = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
	       LANDLOCK_ACCESS_FS_READ_DIR,
};

/** What the system's programs need besides to start. */
static const char *const needed_paths[] = {
	"/etc/alternatives",  "/etc/ld.so.preload", "/etc/localtime",
	"/etc/nsswitch.conf", "/etc/passwd",	    "/etc/group",
	"/dev/urandom",	      "/dev/zero",	    NULL,
};

#if defined(__x86_64__)
#define HOST_ARCH AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define HOST_ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define HOST_ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define HOST_ARCH AUDIT_ARCH_ARM
#elif defined(__powerpc64__)
#define HOST_ARCH                                                              \
	(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? AUDIT_ARCH_PPC64LE        \
						   : AUDIT_ARCH_PPC64)
#elif defined(__riscv)
#define HOST_ARCH AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define HOST_ARCH AUDIT_ARCH_S390X
#endif

#define LOAD(field)                                                            \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define FAIL(errnum) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (errnum))
#define REFUSE(number)                                                         \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), FAIL(EACCES)

enum {
	/** From here on they are those of x32, on x86_64. */
	FOREIGN_SYSTEM_CALLS = 0x40000000,
};

static struct sock_filter instructions[] = {
	// Other architectures have other numbers.
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HOST_ARCH, 1, 0),
	FAIL(ENOSYS),
	LOAD(nr),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FOREIGN_SYSTEM_CALLS, 0, 1),
	FAIL(ENOSYS),
	REFUSE(SYS_socket),
	// Its sockets send to others, too, by their names.
	REFUSE(SYS_socketpair),
#ifdef SYS_socketcall
	REFUSE(SYS_socketcall),
#endif
	// It makes sockets.
	REFUSE(SYS_io_uring_setup),
	REFUSE(SYS_add_key),
	REFUSE(SYS_request_key),
	REFUSE(SYS_keyctl),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static const struct sock_fprog filter = { array_size(instructions), instructions };

void sandbox_deinit(struct sandbox *sandbox)
{
	cleanup_close(&sandbox->ruleset_fd);
	string_list_deinit(&sandbox->environment);
}

/** All of the paths are read; what changes is not a device node. */
static struct error *allow_all(int fd, const struct landlock_rights *rights,
			       const struct string_list *readable,
			       const char *directory)
{
	const char *const *const lists[] = {
		landlock_system_paths,
		needed_paths,
		(const char *const *)readable->items,
	};
	const char *const changed[] = { directory, "/dev/null" };
	struct error *err = NULL;

	for (size_t i = 0; i < array_size(lists); i++) {
		for (const char *const *path = lists[i]; path && *path && !err;
		     path++)
			err = landlock_allow(fd, rights, *path, 0, READ);
	}
	for (size_t i = 0; i < array_size(changed) && !err; i++)
		err = landlock_allow(fd, rights, changed[i], 0,
				     ~(uint64_t)LANDLOCK_FS_DEVICES);
	// From Linux 6.19 on, objtool reads /proc/self/maps. A rule cannot name the
	// directory of a process that is still to come; what is confidential in
	// those of others, Landlock refuses as it does ptrace(2).
	if (!err)
		err = landlock_allow(fd, rights, "/proc", 0,
				     LANDLOCK_ACCESS_FS_READ_FILE);
	return err;
}

/** @param[out] fd_ret -1 where the kernel has no Landlock. */
static struct error *make_ruleset(const struct string_list *readable,
				  const char *directory, int *fd_ret)
{
	struct error *err;
	struct landlock_rights rights = {
		.files = READ | LANDLOCK_FS_CHANGE | LANDLOCK_FS_DEVICES,
		.scopes = LANDLOCK_SCOPES,
	};
	int abi = landlock_abi();
	static bool warned;

	if (abi < 1) {
		if (!warned)
			log_warning(
				"the kernel has no Landlock (from 5.13 on), or it is switched off: programs of a package can read and change all that you can");
		warned = true;
		*fd_ret = -1;
		return NULL;
	}
	landlock_limit(&rights, abi);
	_cleanup_close_ int fd = -1;
	err = landlock_create(&rights, &fd);
	if (!err)
		err = allow_all(fd, &rights, readable, directory);
	if (err)
		return err;
	*fd_ret = take_fd(&fd);
	return NULL;
}

static bool is_system(const char *directory)
{
	for (const char *const *path = landlock_system_paths; *path; path++) {
		if (path_is_below(directory, *path))
			return true;
	}
	return false;
}

/** A shell would choose a program that it then may not run. Links are followed. */
static void add_path(const struct string_list *readable, struct string_list *ret)
{
	const char *value = getenv("PATH");
	_cleanup_free_ char *copy =
		string_copy(value ? value : "/usr/local/bin:/usr/bin:/bin");
	char *rest = copy, *directory;
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	while ((directory = strsep(&rest, ":"))) {
		_cleanup_free_ char *real = realpath(directory, NULL);

		if (real && (is_system(real) ||
			     string_list_contains(readable, directory)))
			string_builder_appendf(&sb, "%s%s",
					       sb.length ? ":" : "", real);
	}
	string_list_addf(ret, "PATH=%s", sb.text ? sb.text : "");
}

struct error *sandbox_init(const struct string_list *readable,
			   const char *directory, struct sandbox *ret)
{
	struct error *err;

	_cleanup_free_ char *temporary = path_join(directory, "tmp");
	err = directory_create(temporary);
	if (err)
		return err;
	int ruleset_fd;
	err = make_ruleset(readable, directory, &ruleset_fd);
	if (err)
		return err;
	*ret = (struct sandbox){ .ruleset_fd = ruleset_fd };
	add_path(readable, &ret->environment);
	string_list_addf(&ret->environment, "HOME=%s", directory);
	string_list_addf(&ret->environment, "TMPDIR=%s", temporary);
	return NULL;
}

void sandbox_apply(const struct sandbox *sandbox, struct process_options *options)
{
	static const char *const inherited[] = { NULL };

	options->inherited = inherited;
	options->environment = (const char *const *)sandbox->environment.items;
	options->ruleset_fd = &sandbox->ruleset_fd;
	options->filter = &filter;
	// Directories that belong to the user whom root works for.
	options->capabilities = 1U << CAP_DAC_OVERRIDE;
	options->guarded = true;
	options->memory_bytes = memory_bytes;
}

struct error *sandbox_capture(const struct string_list *words,
			      const struct string_list *readable,
			      const char *directory, uint64_t timeout_ms,
			      size_t limit_bytes, char **output_ret)
{
	struct error *err;

	_cleanup_sandbox_ struct sandbox sandbox = { .ruleset_fd = -1 };
	err = sandbox_init(readable, directory, &sandbox);
	if (err)
		return err;
	_cleanup_close_ int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct process_options options = {
		.arguments = (const char *const *)words->items,
		// It may quote what it reads.
		.stderr_fd = &null_fd,
		.timeout_ms = timeout_ms,
	};
	sandbox_apply(&sandbox, &options);
	return process_capture(&options, limit_bytes, output_ret);
}
