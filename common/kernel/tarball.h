// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_TARBALL_H
#define COMMON_KERNEL_TARBALL_H

/** @file Tarballs of kernel.org: sources, and compilers. All calls block. */

#include <stdbool.h>

#include "common/archive/digest.h"
#include "common/base/cleanup.h"

struct error;
struct http;

/**
 * The digest that kernel.org publishes of a tarball, in the sha256sums.asc
 * beside it.
 *
 * @return ERROR_NOT_FOUND if there is no such list, or it does not name it.
 */
_must_check_ struct error *
tarball_digest(struct http *http, const char *url,
	       char digest_ret[static DIGEST_TEXT_SIZE]);

/**
 * Download and unpack a tarball.
 *
 * @param[in] directory Exists and is empty.
 * @param[in] strip_components Leading parts of each name to drop.
 * @param[in] digest That it must have; "" if nothing vouches for it.
 * @return ERROR_NOT_FOUND if the server has no such file.
 */
_must_check_ struct error *tarball_unpack(struct http *http, const char *url,
					  const char *directory,
					  unsigned int strip_components,
					  const char *digest);

#endif /* COMMON_KERNEL_TARBALL_H */
