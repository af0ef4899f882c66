// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_SOURCE_PATCH_FIT_H
#define KBUILD_SOURCE_PATCH_FIT_H

/**
 * @file
 *
 * Make a patch fit a tree whose lines are some way up or down from where the
 * patch has them, which libgit2 does not do.
 */

#include <git2.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct error;
struct string_builder;

/** Which way a patch is read. */
enum patch_direction {
	PATCH_FORWARD,
	/** As the patch that undoes it. */
	PATCH_REVERSE,
};

/** How a patch fits a tree. */
struct patch_fit {
	/** Lines by which its hunks are off, in all. */
	size_t distance;
	/** Lines that it adds, less those that it removes. */
	long growth;
};

/**
 * Write the change of one file so that it fits the tree.
 *
 * @param[in,out] fit Is added to.
 * @return An error that names the file and the hunk that is not found.
 */
_must_check_ struct error *patch_fit_file(git_patch *file, const char *tree,
					  enum patch_direction direction,
					  struct patch_fit *fit,
					  struct string_builder *sb);

#endif /* KBUILD_SOURCE_PATCH_FIT_H */
