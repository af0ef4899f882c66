// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_BUILD_KERNEL_BUILD_H
#define BOT_BUILD_KERNEL_BUILD_H

/** @file One kernel, from its source to a package that has booted. */

#include "bot/build/build_result.h"
#include "common/base/cleanup.h"

struct cache_entry;
struct catalog;
struct error;
struct http;
struct plan_item;

/** All is borrowed. */
struct build_request {
	const struct catalog *catalog;
	struct http *http;
	/** Where sources, packages under way, and guests' roots lie. */
	const char *directory;
	/** A copy of kernel.org's tarball; NULL to download it. */
	const char *tarball;
	/**
	 * What make prints, and then the guest's console; NULL for a file in
	 * the build directory, without the console.
	 */
	const char *log_path;
	/** Compilers at once; 0 for one a processor. */
	unsigned int jobs;
};

/** What a build is doing, or has done. */
struct kernel_build {
	/** What keeps the package in the cache. */
	struct cache_entry *entry;
	/** In the entry; NULL after a failure. */
	char *package;
	/** Its end is the caller's to note. */
	struct build_result result;
};

void kernel_build_deinit(struct kernel_build *build);

#define _cleanup_kernel_build_ _cleanup_(kernel_build_deinit)

/**
 * Prepare the source, build, and boot the package. Blocks for minutes.
 *
 * A package that was built, but not taken away, by a run that died is found by
 * what it was made from, and not built again.
 *
 * @param[in,out] build Zeroed; the clock of its result is left in the phase that failed.
 * @return ERROR_CANCELLED on a signal.
 */
_must_check_ struct error *kernel_build_run(const struct build_request *request,
					    const struct plan_item *item,
					    struct kernel_build *build);

/**
 * Delete a package that was taken to where it belongs. Another run that uses it
 * deletes it then.
 */
_must_check_ struct error *kernel_build_discard(struct kernel_build *build);

/**
 * The test that a package must pass before it is published: unpack it as a
 * consumer would, boot it, insert one of its modules, and ask it for its
 * release.
 *
 * @param[in] request Its directory is worked in; nothing is left there.
 */
_must_check_ struct error *boot_test(const struct build_request *request,
				     const struct plan_item *item,
				     const char *package_path);

#endif /* BOT_BUILD_KERNEL_BUILD_H */
