// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_DIRECTORY_H
#define COMMON_BASE_DIRECTORY_H

/** @file Directories, and the files below them. */

#include <fts.h>
#include <stdbool.h>

#include "common/base/cleanup.h"

struct error;
struct string_list;

bool directory_exists(const char *path);

/**
 * Make a directory and its parents; no error if it is there.
 *
 * @return ERROR_USAGE if the path is empty.
 */
_must_check_ struct error *directory_create(const char *path);

/**
 * Delete a directory with all it holds, without following links or leaving its
 * file system's tree. No error if it is not there. Read-only directories inside
 * are made writable first.
 */
_must_check_ struct error *directory_remove(const char *path);

/** The same, but for the directory itself. */
_must_check_ struct error *directory_clear(const char *path);

/**
 * Make a directory with a name of its own, `PARENT/.PREFIX.XXXXXX`. It is locked
 * (flock(2)) as long as the returned descriptor is open, so that
 * directory_remove_stale() can tell the leftovers of a dead run.
 */
_must_check_ struct error *directory_create_temporary(const char *parent,
						      const char *prefix,
						      char **path_ret,
						      int *lock_fd_ret);

/**
 * Delete our leftovers of directory_create_temporary() that nobody has locked;
 * those of other users, as in /tmp, are theirs.
 */
_must_check_ struct error *directory_remove_stale(const char *parent,
						  const char *prefix);

/** Delete the directory when the scope ends; failing is logged as a warning. */
void cleanup_directory(char **path);

/** For a `char *` that owns a temporary directory's path: removes and frees. */
#define _cleanup_directory_ _cleanup_(cleanup_directory)

/**
 * List all files below a directory, sorted, relative to it. Links are followed;
 * one that leads nowhere is left out, as is all that is neither file nor directory.
 *
 * @param[in] skip Globs over the names of files and directories to leave out, ended
 * by NULL; may be NULL.
 */
_must_check_ struct error *tree_list(const char *path, const char *const *skip,
				     struct string_list *ret);

void cleanup_fts(FTS **fts);

#define _cleanup_fts_ _cleanup_(cleanup_fts)

/**
 * Open a tree for fts(3), the names of a directory in the order of bytes.
 *
 * @param[in] options Those of fts_open(); FTS_NOCHDIR is added.
 * @param[out] skip_ret How many bytes of a path come before the name in the tree.
 */
_must_check_ struct error *tree_open(const char *path, int options, FTS **ret,
				     size_t *skip_ret);

/** @return Why an entry cannot be looked at; ERROR_CANCELLED if interrupted. */
_must_check_ struct error *tree_check(const FTSENT *entry);

/** Copy these files, and the directories that they are in. */
_must_check_ struct error *
tree_copy(const char *from, const struct string_list *files, const char *to);

#endif /* COMMON_BASE_DIRECTORY_H */
