// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_ROOTFS_ROOTFS_H
#define VM_ROOTFS_ROOTFS_H

/**
 * @file
 *
 * Roots for guests of other architectures than the host's: a Debian of the
 * guest's architecture, `DIRECTORY/ARCH/rootfs`. It appears whole or not at all.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct cache_entry;
struct catalog;
struct catalog_arch;
struct error;
struct rootfs_host;
struct string_list;

struct rootfs_request {
	const struct catalog_arch *arch;
	/** What this machine can do (rootfs_host.h). */
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

/** A root, which stays as long as this is open. */
struct rootfs {
	/** Absolute, without symbolic links. */
	char *path;
	/** It was there already. */
	bool cached;
	/** What keeps it there. */
	struct cache_entry *entry;
};

#define ROOTFS_INIT                                                            \
	{                                                                      \
		0                                                              \
	}

void rootfs_deinit(struct rootfs *rootfs);

#define _cleanup_rootfs_ _cleanup_(rootfs_deinit)

/**
 * Make a root, unless there is one of the same suite and packages. Blocks for
 * minutes, on the network; whoever makes the same at the same time waits.
 * Guests that use an older one keep it.
 *
 * @return What this machine lacks for it, and how to get it; else what
 * mmdebstrap failed at, with the last lines of its log logged before.
 */
_must_check_ struct error *rootfs_make(const struct rootfs_request *request,
				       struct rootfs *ret);

/**
 * Open the root that was made for an architecture.
 *
 * @return ERROR_NOT_FOUND, with the command that makes it.
 */
_must_check_ struct error *rootfs_open(const char *directory,
				       const struct catalog_arch *arch,
				       struct rootfs *ret);

/**
 * The same for whatever architecture a guest has: of this machine's own, which
 * has its root from the host, the path is NULL.
 */
_must_check_ struct error *rootfs_open_for_guest(const struct catalog *catalog,
						 const char *directory,
						 const struct catalog_arch *arch,
						 struct rootfs *ret);

#endif /* VM_ROOTFS_ROOTFS_H */
