// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_SOURCE_FETCH_H
#define KBUILD_SOURCE_FETCH_H

/** @file A tarball of kernel.org as a file: once for many builds. */

#include "common/base/cleanup.h"
#include "common/kernel/version.h"

struct catalog;
struct error;
struct http;

/**
 * Have the tarball of a version under a path. Blocks on the network, unless the
 * file is there and has the digest in its sidecar (sidecar.h), which is written
 * beside each that has come whole. The file appears whole or not at all, with
 * the digest that kernel.org publishes; of release candidates it publishes none.
 *
 * @return ERROR_NOT_FOUND if kernel.org has no such version; ERROR_USAGE if
 * the path is that of something else than a file; ERROR_CANCELLED.
 */
_must_check_ struct error *fetch_tarball(const struct catalog *catalog,
					 struct http *http,
					 const struct kernel_version *version,
					 const char *path);

#endif /* KBUILD_SOURCE_FETCH_H */
