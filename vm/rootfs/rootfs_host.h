// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_ROOTFS_ROOTFS_HOST_H
#define VM_ROOTFS_ROOTFS_HOST_H

/** @file What a machine must have for making a root. */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct catalog_arch;
struct error;

/** What making a root of an architecture depends on. */
struct rootfs_host {
	bool is_root;
	const char *user;
	bool has_mmdebstrap;
	/** Programs and settings of those who are not root. */
	bool has_newuidmap;
	bool has_subordinate_ids;
	/** A sysctl that forbids user namespaces, with the value that allows them. */
	const char *forbidding;
	/** One that restricts them, for all programs that have no profile. */
	const char *restricting;
	/** Keys to check Debian's signatures with. */
	bool has_keyring;
	/** Whether the root's programs need an emulator; below only if so. */
	bool is_foreign;
	bool has_arch_test;
	bool runs_arch;
	bool has_binfmt_misc;
};

/** Look at this machine. @return ERROR_CANCELLED. */
_must_check_ struct error *rootfs_host_look(const struct catalog_arch *arch,
					    bool is_foreign,
					    struct rootfs_host *ret);

/** @return The first thing that is missing, and what to do; NULL if nothing is. */
_must_check_ struct error *rootfs_host_check(const struct rootfs_host *host,
					     const struct catalog_arch *arch);

#endif /* VM_ROOTFS_ROOTFS_HOST_H */
