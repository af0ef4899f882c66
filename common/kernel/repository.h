// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_REPOSITORY_H
#define COMMON_KERNEL_REPOSITORY_H

/**
 * @file
 *
 * git(1) in a user's repository, of whose variables it inherits none, and whose
 * hooks it does not run. What it complains of goes to stderr.
 */

#include "common/base/cleanup.h"

struct error;

/**
 * Run git and take what it prints.
 *
 * @param[in] directory Where.
 * @param[in] environment `NAME=VALUE` to set, ended by NULL; may be NULL.
 * @param[in] words After `git`, ended by NULL.
 * @param[out] ret Without a final newline; free(). NULL if it is of no interest.
 * @return ERROR_NOT_FOUND without a git(1).
 */
_must_check_ struct error *repository_run(const char *directory,
					  const char *const *environment,
					  const char *const *words, char **ret);

/**
 * The commit that a name means.
 *
 * @param[out] ret free()
 * @return ERROR_USAGE if there is none.
 */
_must_check_ struct error *repository_find_commit(const char *repository,
						  const char *ref, char **ret);

/**
 * Where the repository keeps something, such as `objects`.
 *
 * @param[out] ret NULL if it is not there; free().
 */
_must_check_ struct error *repository_find_path(const char *repository,
						const char *name, char **ret);

#endif /* COMMON_KERNEL_REPOSITORY_H */
