// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_ROOTFS_ROOTFS_H
#define VM_ROOTFS_ROOTFS_H

/**
 * @file
 *
 * Roots for guests of other architectures than the host's: a Debian of the
 * guest's architecture, `DIRECTORY/ARCH/rootfs`, an entry of the cache.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct cache_entry;
struct catalog_arch;
struct error;
struct string_list;

/* What a machine must have for making a root. */

/** What making a root of an architecture depends on. */
struct rootfs_host {
	bool is_root;
	const char *user;
	bool has_mmdebstrap;
	/** Programs and settings of those who are not root. */
	bool has_newuidmap;
	bool has_subordinate_ids;
	/**
	 * A sysctl that forbids user namespaces, with the value that allows
	 * them.
	 */
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

/**
 * @return The first thing that is missing, and what to do; NULL if nothing is.
 */
_must_check_ struct error *rootfs_host_check(const struct rootfs_host *host,
					     const struct catalog_arch *arch);

struct rootfs_request {
	const struct catalog_arch *arch;
	/** What rootfs_host_look() has found. */
	const struct rootfs_host *host;
	/** Debian packages, besides the essential ones; in any order. */
	const struct string_list *packages;
	/**
	 * URL of a Debian mirror, or a line of sources.list(5). NULL for
	 * mmdebstrap's default, with security updates.
	 */
	const char *mirror;
	/** Where roots are kept. */
	const char *directory;
	/** Make it even if it is there. */
	bool force;
};

/**
 * Make a root, unless there is one of the same suite and packages. Blocks for
 * minutes, on the network; others who make the same at the same time wait for
 * the first. Guests that use an older one keep it.
 *
 * @return What this machine lacks, and how to get it. An error of mmdebstrap is
 * preceded in the log by the last lines that it has printed.
 */
_must_check_ struct error *rootfs_make(const struct rootfs_request *request,
				       struct cache_entry **ret);

/**
 * Open the root for a guest of an architecture.
 *
 * @param[out] ret NULL for this machine's own, which has its root from the
 * host.
 * @return ERROR_NOT_FOUND if none was made, with the command that makes it.
 */
_must_check_ struct error *rootfs_open(const char *directory,
				       const struct catalog_arch *arch,
				       struct cache_entry **ret);

#endif /* VM_ROOTFS_ROOTFS_H */
