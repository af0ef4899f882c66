// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_GUEST_H
#define VM_GUEST_GUEST_H

/**
 * @file
 *
 * Run one command under a kernel, in the userspace of a root that it shares
 * with the host but cannot change.
 *
 * Nothing of a guest is on the host's disk, and QEMU is killed by the kernel
 * when we die, so there is nothing to clean up after a run, however it ends.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/string_list.h"
#include "vm/qemu/qemu.h"

struct error;
struct run_result;

struct guest_config {
	/**
	 * With kdump, the command also gets the program that loads a crash
	 * kernel: VMTEST_KEXEC in its environment, and in its PATH. If the
	 * guest crashes then, the same command runs again in the crash kernel,
	 * and its status counts.
	 */
	struct qemu_config qemu;
	/** A directory; NULL for the host's own root. */
	const char *root;
	/** Where the command runs; NULL for the root. */
	const char *directory;
	/** Directories that the guest may change. */
	struct string_list writable;
	/**
	 * A module that the guest is to see, absolute and without symbolic
	 * links: DRGN_TEST_KMOD in the command's environment. NULL for none.
	 */
	const char *module;
	/** Insert it before the command starts. */
	bool insert_module;
	/**
	 * A disk with nothing on it, which is gone afterwards: DRGN_TEST_DISK
	 * in the command's environment. 0 for none.
	 */
	uint64_t disk_bytes;
	/** Whose file system holds what is written to the disk. */
	const char *disk_directory;
	/**
	 * `NAME=VALUE`; all that the command gets, besides what names the parts
	 * of the guest that are asked for here.
	 */
	struct string_list environment;
	/** Ended by NULL. */
	char *const *command;
	/** The command's own streams; -1 for none. */
	int stdin_fd;
	int stdout_fd;
	/** The same as stdout_fd for one stream, in which all is in order. */
	int stderr_fd;
	/** The three are a terminal, which the command gets as its own. */
	bool interactive;
	/** From when the command starts first; 0 for no limit. */
	uint64_t timeout_ms;
	/**
	 * Gets what the kernel's console says, as it comes; -1 for none.
	 * With it the kernel says more than warnings.
	 */
	int console_log_fd;
};

/**
 * Boot, run, and end the guest. Blocks.
 *
 * @param[out] ret All but its release and status.
 * @return What kept the command from being run, such as a QEMU that does not
 * start; ERROR_CANCELLED if interrupted. Whatever happens to a guest that has
 * been started is a result, not an error.
 */
_must_check_ struct error *guest_run(const struct guest_config *config,
				     struct run_result *ret);

#endif /* VM_GUEST_GUEST_H */
