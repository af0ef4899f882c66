// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_LOCK_H
#define COMMON_BASE_LOCK_H

/** @file Locks that end with the process that holds them. */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct error;

/**
 * Lock a file exclusively (flock(2)), which is made if it is not there. Says so
 * on stderr if it has to wait. The lock lasts as long as the descriptor, and is
 * that of the file which has the name once it is taken.
 *
 * @return ERROR_CANCELLED if interrupted while it waits.
 */
_must_check_ struct error *file_lock(const char *path, int *fd_ret);

/** The same for a directory. */
_must_check_ struct error *directory_lock(const char *path, int *fd_ret);

/** Whether a path still leads to what was opened by it. */
bool lock_is_of(int fd, const char *path);

#endif /* COMMON_BASE_LOCK_H */
