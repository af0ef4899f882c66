// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_CRASH_DUMP_H
#define VM_CRASH_DUMP_H

/**
 * @file
 *
 * A guest's memory in a directory of its own, with what is needed to look at
 * it and to run the same again:
 *
 *     vmcore       as makedumpfile(8) writes it, or, by some QEMUs, ELF
 *     report.txt   what drgn said of it, if that was asked
 *     dump.json    struct dump_info
 *
 * It is the caller's alone: the memory holds what the guest has read, and the
 * options may hold secrets.
 */

#include <stdbool.h>

#include "common/archive/archive.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"

struct error;

#define DUMP_CORE "vmcore"
#define DUMP_REPORT "report.txt"

struct dump_info {
	/** Of vmtest and of QEMU; "" if that is not known. */
	char *vmtest, *qemu;
	/** The kernel, its package, and the digest of its vmlinux or image. */
	char *release, *arch, *kernel, *kernel_digest;
	/** A module that is not of the package; NULL for none. */
	char *module;
	/** How it ended, as in the result (guest.h); may be NULL. */
	char *reason;
	struct string_list splats;
	/** Where vmtest-vm was run, and the words to run the same again. */
	char *directory;
	struct string_list words;
};

void dump_info_deinit(struct dump_info *info);

#define _cleanup_dump_info_ _cleanup_(dump_info_deinit)

/** Write it; all but the digest is set. */
_must_check_ struct error *dump_info_write(const struct dump_info *info,
					   const char *directory);

/**
 * @return ERROR_USAGE if there is no dump, or others could have written it.
 */
_must_check_ struct error *dump_info_read(const char *directory,
					  struct dump_info *ret);

/**
 * Check that the kernel is the one whose memory this is.
 *
 * @return ERROR_OTHER if it is gone or has changed.
 */
_must_check_ struct error *dump_info_check_kernel(const struct dump_info *info);

/**
 * The debug information of a kernel: that of its package, as build/vmlinux;
 * free().
 *
 * @return NULL if it has none.
 */
char *dump_find_vmlinux(const char *kernel);

/**
 * Make a file, that drgn and crash read, of a stream, that QEMU writes.
 *
 * @param[in] from Of a stream, from its begin.
 * @param[in] to An empty file.
 * @param[in] release The kernel's, which QEMU does not know: without it,
 * libkdumpfile takes the dump for none.
 * @return ERROR_OTHER if it is no such stream, or not whole.
 */
_must_check_ struct error *dump_unflatten(int from, int to, const char *release);

#endif /* VM_CRASH_DUMP_H */
