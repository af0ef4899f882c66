// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_SOURCE_SOURCE_FACTS_H
#define KBUILD_SOURCE_SOURCE_FACTS_H

/**
 * @file
 *
 * What is known of a source in the cache, in a file beside it: its version,
 * where it came from, and the patches that it got.
 */

#include "common/base/cleanup.h"

struct error;
struct source;

/** Write all but the path. */
_must_check_ struct error *source_facts_write(const struct source *source,
					      const char *path);

/**
 * Read them; the path is NULL.
 *
 * @return ERROR_OTHER if the file is not what source_facts_write() writes.
 */
_must_check_ struct error *source_facts_read(const char *path,
					     struct source *ret);

#endif /* KBUILD_SOURCE_SOURCE_FACTS_H */
