// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_SOURCE_KERNEL_ORG_H
#define KBUILD_SOURCE_KERNEL_ORG_H

/** @file kernel.org's tarballs: where they are, and one as a file for many builds. */

#include "common/base/cleanup.h"

struct catalog;
struct error;
struct http;
struct kernel_version;

/** Where kernel.org, or what the catalog has in its place, has a tarball; free(). */
char *kernel_org_url(const struct catalog *catalog,
		     const struct kernel_version *version);

/** Where others find it: kernel.org, though a mirror is asked; free(). */
char *kernel_org_published_url(const struct catalog *catalog,
			       const struct kernel_version *version);

/**
 * Have the tarball of a version under a path. Blocks on the network, unless the
 * file is there and has the digest in its sidecar (sidecar.h), which is written
 * beside each that has come whole. The file appears whole or not at all, with
 * the digest that kernel.org publishes; release candidates are made on the fly,
 * and it publishes none of them.
 *
 * @return ERROR_NOT_FOUND if kernel.org has no such version; ERROR_USAGE if
 * the path is that of something else than a file; ERROR_CANCELLED.
 */
_must_check_ struct error *kernel_org_fetch(const struct catalog *catalog,
					    struct http *http,
					    const struct kernel_version *version,
					    const char *path);

#endif /* KBUILD_SOURCE_KERNEL_ORG_H */
