// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_SUITE_PLAN_H
#define VM_SUITE_SUITE_PLAN_H

/** @file Which kernels a suite is for. Nothing here touches anything. */

#include <stddef.h>

#include "common/base/cleanup.h"

struct asset_list;
struct catalog;
struct catalog_arch;
struct error;
struct kernel_list;
struct string_list;
struct suite;

enum suite_choice {
	/** Of each series and flavor the newest; newest first. */
	SUITE_NEWEST_OF_SERIES,
	/** Of each version and flavor the newest build; oldest first. */
	SUITE_EVERY_VERSION,
};

struct suite_request {
	enum suite_choice choice;
	/** Architectures, in order, and what is on disk of each. */
	const struct catalog_arch *const *archs;
	const struct kernel_list *disks;
	size_t arch_count;
	const struct asset_list *assets;
	/** Those without a match, in any architecture, are an error. */
	const struct string_list *patterns;
	/** If there are no patterns: what is chosen from; NULL for any series. */
	const struct catalog *catalog;
	/** Empty for all. */
	const struct string_list *flavors;
};

/**
 * Choose kernels of the disk and the store. Appends: the first architecture's,
 * in order, then the next one's.
 *
 * @return ERROR_NOT_FOUND if a pattern means none, or if there is none at all
 * of an architecture.
 */
_must_check_ struct error *suite_plan(const struct suite_request *request,
				      struct suite *ret);

/**
 * Append a kernel that was named by its directory.
 *
 * @param[in] arch Borrowed.
 */
void suite_add_directory(struct suite *suite, const char *release,
			 const char *arch, const char *path);

#endif /* VM_SUITE_SUITE_PLAN_H */
