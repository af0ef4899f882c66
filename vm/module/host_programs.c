// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/host_programs.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/system.h"
#include "common/process/process.h"

enum {
	/** For one that says how it is used, if it does. */
	RUN_LIMIT_MS = 30000,
};

/** The smallest of them, which every build of a module runs. */
static const char program[] = "build/scripts/basic/fixdep";

/** What it says when it is called without arguments. */
static const char usage[] = "Usage: fixdep";

/** What `uname -m` says where programs are of this kind. */
static const struct {
	uint16_t machine;
	unsigned char class;
	unsigned char data;
	const char *name;
} kinds[] = {
	{ EM_X86_64, ELFCLASS64, ELFDATA2LSB, "x86_64" },
	{ EM_386, ELFCLASS32, ELFDATA2LSB, "i686" },
	{ EM_AARCH64, ELFCLASS64, ELFDATA2LSB, "aarch64" },
	{ EM_ARM, ELFCLASS32, ELFDATA2LSB, "armv7l" },
	{ EM_PPC64, ELFCLASS64, ELFDATA2LSB, "ppc64le" },
	{ EM_RISCV, ELFCLASS64, ELFDATA2LSB, "riscv64" },
	{ EM_S390, ELFCLASS64, ELFDATA2MSB, "s390x" },
};

/** The part of an ELF file's header that is the same for all of them. */
struct header {
	unsigned char ident[EI_NIDENT];
	uint16_t type;
	uint16_t machine;
};

static bool header_read(const char *path, struct header *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, ret, sizeof(*ret)) != sizeof(*ret) ||
	    memcmp(ret->ident, ELFMAG, SELFMAG) != 0)
		return false;
	ret->machine = ret->ident[EI_DATA] == ELFDATA2MSB
			       ? be16toh(ret->machine)
			       : le16toh(ret->machine);
	return true;
}

static bool is_same_kind(const struct header *a, const struct header *b)
{
	return a->machine == b->machine &&
	       a->ident[EI_CLASS] == b->ident[EI_CLASS] &&
	       a->ident[EI_DATA] == b->ident[EI_DATA];
}

static const char *kind_name(const struct header *header)
{
	for (size_t i = 0; i < array_size(kinds); i++) {
		if (kinds[i].machine == header->machine &&
		    kinds[i].class == header->ident[EI_CLASS] &&
		    kinds[i].data == header->ident[EI_DATA])
			return kinds[i].name;
	}
	return "unknown";
}

/** Whether it runs: an emulator that cannot load it fails in its own words. */
static bool runs(const char *path)
{
	const char *const arguments[] = { path, NULL };
	_cleanup_close_ int output_fd = memfd_create("fixdep", MFD_CLOEXEC);
	const struct process_options options = {
		.arguments = arguments,
		.stdout_fd = &output_fd,
		.stderr_fd = &output_fd,
	};
	char output[sizeof(usage)] = "";
	struct process_status status;
	_cleanup_process_ struct process *process = NULL;

	if (output_fd < 0)
		return false;
	_cleanup_error_ struct error *err = process_spawn(&options, &process);
	if (!err)
		err = process_wait(process, monotonic_ms() + RUN_LIMIT_MS,
				   &status);
	return !err &&
	       pread(output_fd, output, sizeof(usage) - 1, 0) ==
		       sizeof(usage) - 1 &&
	       strcmp(output, usage) == 0;
}

struct error *host_programs_check(const char *kernel_path)
{
	struct error *err;
	_cleanup_free_ char *path = NULL;
	struct header theirs, ours;
	struct utsname host;

	path = path_join(kernel_path, program);
	if (!header_read(path, &theirs) || !header_read("/proc/self/exe", &ours) ||
	    is_same_kind(&theirs, &ours) || runs(path))
		return NULL;
	err = interrupt_check();
	if (err)
		return err;
	uname(&host);
	return error_create(ERROR_OTHER,
			    "the programs in its build folder are for %s, where the kernel was built, and do not run on this machine (%s); use a package that was built on one, or install qemu-user-static",
			    kind_name(&theirs), host.machine);
}
