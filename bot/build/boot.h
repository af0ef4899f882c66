// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_BUILD_BOOT_H
#define BOT_BUILD_BOOT_H

/** @file The test that a package must pass before it is published. */

#include "common/base/cleanup.h"

struct catalog;
struct error;
struct plan_item;

struct boot_request {
	const struct catalog *catalog;
	/** Where to unpack; nothing is left there. */
	const char *directory;
	/** Where roots for guests of other architectures are (vm/rootfs/rootfs.h). */
	const char *cache_directory;
	/** What the guest's console says is added to it; may be NULL. */
	const char *log_path;
};

/** Unpack a package as a consumer would, boot it, and ask it for its release. */
_must_check_ struct error *boot_test(const struct boot_request *request,
				     const struct plan_item *item,
				     const char *package_path);

#endif /* BOT_BUILD_BOOT_H */
