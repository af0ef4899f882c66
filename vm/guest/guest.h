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
#include "vm/guest/accel.h"

struct catalog_arch;
struct error;
struct kernel;

struct guest_config {
	const struct kernel *kernel;
	const struct catalog_arch *arch;
	/** One of the architecture's; NULL for the first that fits. */
	const char *machine;
	enum accel accel;
	/** A folder; NULL for the host's own root. */
	const char *root;
	/** Where the command runs; NULL for the root. */
	const char *directory;
	/** Folders that the guest may change. */
	struct string_list writable;
	/** As QEMU's -m takes it; NULL for the default. */
	const char *memory;
	/** 0 for the default. */
	unsigned int cpus;
	/**
	 * A module that the guest is to see, absolute and without symbolic
	 * links: DRGN_TEST_KMOD in the command's environment. NULL for none.
	 */
	const char *module;
	/** Insert it before the command starts. */
	bool insert_module;
	/**
	 * Set memory aside for a crash kernel, and give the command the program
	 * that loads it: VMTEST_KEXEC in its environment, and in its PATH. If
	 * the guest crashes then, the same command runs again in the crash
	 * kernel, and its status counts.
	 */
	bool kdump;
	/**
	 * A disk with nothing on it, which is gone afterwards: DRGN_TEST_DISK
	 * in the command's environment. 0 for none.
	 */
	uint64_t disk_bytes;
	/** Whose file system holds what is written to the disk. */
	const char *disk_directory;
	/** More for the kernel's command line, and for QEMU's. */
	struct string_list append;
	struct string_list qemu_options;
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
	 * Gets what the kernel's console says, as it comes; 0 for none. With
	 * it the kernel says more than warnings.
	 */
	int console_log_fd;
};

enum guest_outcome {
	/** The command has ended. */
	GUEST_EXITED,
	GUEST_TIMED_OUT,
	/** The guest ended, or hung as it booted, without a status. */
	GUEST_LOST,
};

struct guest_result {
	enum guest_outcome outcome;
	/** What the shell calls it: 128 + N for a signal. Only if it has exited. */
	int exit_status;
	/** If it has not exited: one line. */
	char *reason;
	/** If lost, the last of the kernel's log; on timeout, what tasks did. */
	char *log;
	/** First lines of what the kernel complained about. */
	struct string_list splats;
	/** All of them, the list's included. */
	size_t splat_count;
	/**
	 * From our start to the command's, and from there to its end or, if it
	 * had none, to the guest's; 0 if it did not start.
	 */
	uint64_t boot_ms;
	uint64_t command_ms;
};

void guest_result_deinit(struct guest_result *result);

#define _cleanup_guest_result_ _cleanup_(guest_result_deinit)

/**
 * Boot, run, and end the guest. Blocks.
 *
 * @return What kept the command from being run, such as a QEMU that does not
 * start; ERROR_CANCELLED if interrupted. Whatever happens to a guest that has
 * been started is a result, not an error.
 */
_must_check_ struct error *guest_run(const struct guest_config *config,
				     struct guest_result *ret);

#endif /* VM_GUEST_GUEST_H */
