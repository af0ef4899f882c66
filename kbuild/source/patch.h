// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_SOURCE_PATCH_H
#define KBUILD_SOURCE_PATCH_H

/**
 * @file
 *
 * Patches to the kernel's source, configs/patches/NAME.patch: what
 * git-format-patch(1) writes, and above the first `diff --git` one line
 *
 *     # vmtest: >=5.10 <5.15 x86_64
 *
 * that says which kernels it is for, in the terms of bounds.h. GNU patch
 * applies them, in the order of their names.
 */

#include "common/archive/digest.h"
#include "common/base/cleanup.h"
#include "common/base/string_list.h"

struct bounds_target;
struct error;

struct patch_list {
	char *directory;
	/** `0001-fix-it.patch` */
	struct string_list names;
	/** Of names and contents; "" if there are none. */
	char digest[DIGEST_TEXT_SIZE];
};

void patch_list_deinit(struct patch_list *list);

#define _cleanup_patch_list_ _cleanup_(patch_list_deinit)

/**
 * Find the patches that are for a kernel, in order. A directory that does not
 * exist holds none.
 *
 * @return ERROR_USAGE if the line of any patch in the directory is missing or
 * malformed.
 */
_must_check_ struct error *patch_list_load(const char *directory,
					   const struct bounds_target *target,
					   struct patch_list *ret);

/**
 * Apply patches to a source tree by patch(1).
 *
 * Hunks are found some way up or down, but their context must match. A patch
 * that the tree has already is skipped, and the log says so. Nothing outside
 * the tree is written.
 *
 * @param[out] applied_ret The names of those that were not skipped are added;
 * also where a later one fails, after which the tree is of no use.
 * @return ERROR_OTHER, naming the patch and what patch(1) said of it;
 * ERROR_NOT_FOUND if there is no such program.
 */
_must_check_ struct error *patch_list_apply(const struct patch_list *list,
					    const char *tree,
					    struct string_list *applied_ret);

#endif /* KBUILD_SOURCE_PATCH_H */
