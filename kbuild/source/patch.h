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
 * that says which kernels it is for, in the terms of bounds.h; and fixes of
 * upstream's, configs/patches/NAME.json (patch_fix.h). They are applied in the
 * order of their names.
 */

#include <stddef.h>

#include "common/archive/digest.h"
#include "common/base/cleanup.h"

struct bounds_target;
struct error;
struct patch_origin;
struct string_list;

struct patch {
	/** `0001-fix-it.patch` */
	char *name;
	/** NULL for a fix that was not fetched yet. */
	char *text;
	size_t size_bytes;
	/** Of its text, known before it is fetched. */
	char digest[DIGEST_TEXT_SIZE];
	/** Of a fix of upstream's; else NULL. */
	char *commit;
};

struct patch_list {
	struct patch *items;
	size_t count;
};

void patch_list_deinit(struct patch_list *list);

#define _cleanup_patch_list_ _cleanup_(patch_list_deinit)

/**
 * Read the patches that are for a kernel, in order. Fixes are not fetched. A
 * folder that is not there holds none.
 *
 * @return ERROR_USAGE if the line of any patch in the folder is missing or
 * malformed.
 */
_must_check_ struct error *patch_list_load(const char *directory,
					   const struct bounds_target *target,
					   struct patch_list *ret);

/** Fetch the fixes among them; asks nobody if there are none. */
_must_check_ struct error *patch_list_fetch(struct patch_list *list,
					    const struct patch_origin *origin);

/** A digest of names and contents; "" of an empty list. */
_must_check_ struct error *
patch_list_digest(const struct patch_list *list,
		  char text_ret[static DIGEST_TEXT_SIZE]);

/**
 * Apply patches to a source tree, which need not be a git repository and does
 * not become one.
 *
 * Each is checked whole before it changes anything. Hunks are found some way up
 * or down, but their context must match. A patch that the tree has already is
 * skipped, and the log says so. Refuses whatever would touch a path
 * outside the tree, go through a symbolic link, or make one; and what no fix
 * needs: binary files, copies, changes of a file's mode.
 *
 * @param[in] tree Its parent folder is used for a temporary one.
 * @param[out] applied_ret Names of those that were not skipped are added, a
 * fix's with its commit (`0002-it.json 0123456789ab`); also where a later one
 * fails, after which the tree is of no use.
 * @return ERROR_OTHER, naming the patch, the file and the hunk that failed.
 */
_must_check_ struct error *patch_list_apply(const struct patch_list *list,
					    const char *tree,
					    struct string_list *applied_ret);

#endif /* KBUILD_SOURCE_PATCH_H */
