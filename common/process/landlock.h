// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_PROCESS_LANDLOCK_H
#define COMMON_PROCESS_LANDLOCK_H

/**
 * @file
 *
 * Landlock, see landlock(7): rules for what a child can do, which struct
 * process_options's ruleset_fd takes. What is handled is forbidden but where it
 * is allowed; no rule forbids. What a version of it, its ABI, does not know
 * cannot be handled.
 */

#include <linux/landlock.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct error;

/** Rights to files. What older headers lack is written as numbers. */
enum {
	/** To rename from one directory to another: forbidden before ABI 2. */
	LANDLOCK_FS_REFER = 1 << 13,
	LANDLOCK_FS_TRUNCATE = 1 << 14,
	LANDLOCK_FS_IOCTL_DEVICE = 1 << 15,
	LANDLOCK_FS_DEVICES = LANDLOCK_ACCESS_FS_MAKE_CHAR |
			      LANDLOCK_ACCESS_FS_MAKE_BLOCK,
	/** All that changes something, but device nodes. */
	LANDLOCK_FS_CHANGE =
		LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
		LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM |
		LANDLOCK_FS_REFER | LANDLOCK_FS_TRUNCATE,
	/** To bind and to connect. */
	LANDLOCK_TCP = 3,
	/** To reach others by abstract sockets and by signals. */
	LANDLOCK_SCOPES = 3,
};

/** What is handled; laid out as struct landlock_ruleset_attr. */
struct landlock_rights {
	uint64_t files;
	uint64_t network;
	uint64_t scopes;
};

/** Where a system has its programs and their libraries; ended by NULL. */
extern const char *const landlock_system_paths[];

/** The kernel's version of it; -1 if it has none, or it is switched off. */
int landlock_abi(void);

/** Leave out what an ABI does not know. */
void landlock_limit(struct landlock_rights *rights, int abi);

/** @param[out] fd_ret Without rules; close(). */
_must_check_ struct error *landlock_create(const struct landlock_rights *rights,
					   int *fd_ret);

/**
 * Allow something of what is handled for a file, or for all below a directory.
 * One that is not there needs no rule.
 *
 * @param[in] flags Of open(2): with O_NOFOLLOW, nor does a link.
 */
_must_check_ struct error *landlock_allow(int fd,
					  const struct landlock_rights *rights,
					  const char *path, int flags,
					  uint64_t access);

#endif /* COMMON_PROCESS_LANDLOCK_H */
