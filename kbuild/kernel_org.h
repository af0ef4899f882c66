// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_KERNEL_ORG_H
#define KBUILD_KERNEL_ORG_H

/** @file The tarballs of kernel.org. All calls but the first ask it, and block. */

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/store.h"
#include "common/version.h"

struct catalog;
struct error;
struct http;

/** Where kernel.org, or what the catalog has in its place, has a tarball; free(). */
_must_check_ struct error *kernel_org_url(const struct catalog *catalog,
					  const struct kernel_version *version,
					  char **ret);

/**
 * The digest that kernel.org publishes of a tarball, in the sha256sums.asc
 * beside it: "" for release candidates, which are made on the fly.
 *
 * @param[in] url Of kernel_org_url().
 */
_must_check_ struct error *
kernel_org_digest(struct http *http, const char *url,
		  const struct kernel_version *version,
		  char digest_ret[static DIGEST_TEXT_SIZE]);

/**
 * Stream a tarball, with progress.
 *
 * @param[in] digest Which it must have; "" if it is not known.
 */
_must_check_ struct error *kernel_org_stream(struct http *http, const char *url,
					     const char *digest,
					     store_sink sink, void *arg);

#endif /* KBUILD_KERNEL_ORG_H */
