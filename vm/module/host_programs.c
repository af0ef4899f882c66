// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/host_programs.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/system.h"
#include "common/process/process.h"

enum {
	/** For one that says how it is used, if it does. */
	RUN_LIMIT_MS = 30000,
	HEADER_BYTES = offsetof(Elf64_Ehdr, e_version),
};

/** The smallest of them, which every build of a module runs. */
static const char program[] = "build/scripts/basic/fixdep";

/** What it says when it is called without arguments. */
static const char usage[] = "Usage: fixdep";

/** Kinds of ELF files, by what `uname -m` says where such programs run. */
static const struct {
	const char *name;
	uint16_t machine;
	unsigned char class;
	unsigned char data;
} kinds[] = {
	{ "x86_64", EM_X86_64, ELFCLASS64, ELFDATA2LSB },
	{ "i686", EM_386, ELFCLASS32, ELFDATA2LSB },
	{ "aarch64", EM_AARCH64, ELFCLASS64, ELFDATA2LSB },
	{ "armv7l", EM_ARM, ELFCLASS32, ELFDATA2LSB },
	{ "ppc64le", EM_PPC64, ELFCLASS64, ELFDATA2LSB },
	{ "riscv64", EM_RISCV, ELFCLASS64, ELFDATA2LSB },
	{ "s390x", EM_S390, ELFCLASS64, ELFDATA2MSB },
};

/** The kind of a program; NULL if it is no ELF file. */
static const char *find_kind(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	// The header begins alike in all of them.
	Elf64_Ehdr header;

	if (fd < 0 || read(fd, &header, HEADER_BYTES) != HEADER_BYTES ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return NULL;

	unsigned char data = header.e_ident[EI_DATA];
	uint16_t machine = data == ELFDATA2MSB ? be16toh(header.e_machine)
					       : le16toh(header.e_machine);

	for (size_t i = 0; i < array_size(kinds); i++) {
		if (kinds[i].machine == machine && kinds[i].data == data &&
		    kinds[i].class == header.e_ident[EI_CLASS])
			return kinds[i].name;
	}
	return "unknown";
}

/** Whether it runs: an emulator that cannot load it fails in its own words. */
static bool runs(const char *path)
{
	_cleanup_close_ int output_fd = memfd_create("fixdep", MFD_CLOEXEC);
	const struct process_options options = {
		.arguments = (const char *const[]){ path, NULL },
		.stdout_fd = &output_fd,
		.stderr_fd = &output_fd,
	};
	char output[sizeof(usage)] = "";
	struct process_status status;
	_cleanup_process_ struct process *process = NULL;
	_cleanup_error_ struct error *err = process_spawn(&options, &process);

	if (!err)
		err = process_wait(process, monotonic_ms() + RUN_LIMIT_MS,
				   &status);
	return !err && pread(output_fd, output, sizeof(usage) - 1, 0) > 0 &&
	       strcmp(output, usage) == 0;
}

struct error *host_programs_check(const char *kernel_path)
{
	struct error *err;

	_cleanup_free_ char *path = path_join(kernel_path, program);
	const char *theirs = find_kind(path);
	const char *ours = find_kind("/proc/self/exe");

	if (!theirs || !ours || strcmp(theirs, ours) == 0 || runs(path))
		return NULL;
	err = interrupt_check();
	if (err)
		return err;
	return error_create(ERROR_OTHER,
			    "the programs in its build directory are for %s, where the kernel was built, and do not run on this machine (%s); use a package that was built on one, or install qemu-user-static",
			    theirs, ours);
}
