// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_ARCHIVE_SUMS_H
#define COMMON_ARCHIVE_SUMS_H

/**
 * @file
 *
 * kernel.org's `sha256sums.asc`: lines `HEX  NAME` in a clear-signed PGP
 * message. The signature is not checked: what vouches for the list is the
 * connection it came by.
 */

#include <stddef.h>

#include "common/archive/digest.h"
#include "common/base/cleanup.h"

struct error;

/**
 * Find a file's digest. The whole text is read strictly first: one that was cut
 * off, or has anything else in it, is an error and not a shorter list.
 *
 * @return ERROR_NOT_FOUND if the list is in order but has no such name.
 */
_must_check_ struct error *sums_find(const char *text, size_t size_bytes,
				     const char *name,
				     char digest_ret[static DIGEST_TEXT_SIZE]);

#endif /* COMMON_ARCHIVE_SUMS_H */
