// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_TREE_H
#define COMMON_BASE_TREE_H

/** @file The files below a folder. */

#include "common/base/cleanup.h"

struct error;
struct string_list;

/**
 * List all files below a folder, sorted, relative to it. Links are followed;
 * one that leads nowhere is left out, as is all that is neither file nor folder.
 *
 * @param[in] skip Globs over the names of files and folders to leave out, ended
 * by NULL; may be NULL.
 */
_must_check_ struct error *tree_list(const char *path, const char *const *skip,
				     struct string_list *ret);

/** Copy these files, and the folders that they are in. */
_must_check_ struct error *
tree_copy(const char *from, const struct string_list *files, const char *to);

#endif /* COMMON_BASE_TREE_H */
