// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_SOURCE_KERNEL_ORG_H
#define KBUILD_SOURCE_KERNEL_ORG_H

/** @file Where kernel.org has a version, and what it says of it. */

#include "common/archive/digest.h"
#include "common/base/cleanup.h"
#include "common/kernel/version.h"

struct catalog;
struct error;
struct http;

/** Where kernel.org, or what the catalog has in its place, has a tarball; free(). */
_must_check_ struct error *kernel_org_url(const struct catalog *catalog,
					  const struct kernel_version *version,
					  char **ret);

/**
 * tarball_digest() of a version: "" for release candidates, which are made on
 * the fly.
 *
 * @param[in] url Of kernel_org_url().
 */
_must_check_ struct error *
kernel_org_digest(struct http *http, const char *url,
		  const struct kernel_version *version,
		  char digest_ret[static DIGEST_TEXT_SIZE]);

#endif /* KBUILD_SOURCE_KERNEL_ORG_H */
