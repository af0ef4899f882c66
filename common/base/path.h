// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_PATH_H
#define COMMON_BASE_PATH_H

/** @file Paths as text. */

#include "common/base/cleanup.h"

struct error;

/** Join two parts of a path with one slash; an absolute @p name wins. free(). */
char *path_join(const char *directory, const char *name);

/** The same with a formatted second part. */
_printf_(2, 3) char *path_joinf(const char *directory, const char *format, ...);

#endif /* COMMON_BASE_PATH_H */
