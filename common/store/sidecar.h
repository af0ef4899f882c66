// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_STORE_SIDECAR_H
#define COMMON_STORE_SIDECAR_H

/**
 * @file
 *
 * The digest of a file that was whole once, in a file beside it: NAME.sha256,
 * as sha256sum(1) writes it.
 */

#include "common/archive/digest.h"
#include "common/base/cleanup.h"

struct error;

/** @param[out] digest_ret "" if the file has no sidecar. */
_must_check_ struct error *sidecar_read(const char *directory, const char *name,
					char digest_ret[static DIGEST_TEXT_SIZE]);

/**
 * The caller holds a lock on the file's name. What a run that was killed has
 * left, `.put.NAME.sha256`, is written again.
 */
_must_check_ struct error *sidecar_write(const char *directory,
					 const char *name, const char *digest);

/** No error if there is none. */
_must_check_ struct error *sidecar_delete(const char *directory,
					  const char *name);

#endif /* COMMON_STORE_SIDECAR_H */
