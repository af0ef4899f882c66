// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_SOURCE_PATCH_CHECK_H
#define KBUILD_SOURCE_PATCH_CHECK_H

/** @file What no patch of ours does, and what none may do. */

#include <git2.h>

#include "common/base/cleanup.h"

struct error;

/**
 * Refuse a change of a file that leads out of the tree, by its name or through
 * a symbolic link, or that is of a kind no fix needs.
 */
_must_check_ struct error *patch_check_delta(const char *tree,
					     const git_diff_delta *delta);

#endif /* KBUILD_SOURCE_PATCH_CHECK_H */
