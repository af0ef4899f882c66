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

struct tarball_request {
	struct http *http;
	const char *url;
	/** Exists and is empty. */
	const char *directory;
	/** Leading parts of each name to drop. */
	unsigned int strip_components;
	/** There is no sha256sums.asc beside it: nothing vouches for it. */
	bool is_unsigned;
};

/**
 * Download and unpack a tarball, which is checked against the sha256sums.asc
 * beside it.
 *
 * @param[out] digest_ret The digest that was published; "" if there is none.
 * @return ERROR_NOT_FOUND if the server has no such file, or the list does not
 * name it.
 */
_must_check_ struct error *tarball_fetch(const struct tarball_request *request,
					 char digest_ret[static DIGEST_TEXT_SIZE]);

#endif /* COMMON_KERNEL_TARBALL_H */
