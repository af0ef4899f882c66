// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_SOURCE_SOURCE_VERSION_H
#define KBUILD_SOURCE_SOURCE_VERSION_H

/** @file The version that a kernel's source says it is. */

#include "common/base/cleanup.h"

struct error;
struct kernel_version;

/** From the text of the Makefile at the root of a tree. */
_must_check_ struct error *source_version_parse(const char *makefile,
						struct kernel_version *ret);

/**
 * From a tree.
 *
 * @return ERROR_USAGE, which does not name the folder, if the folder is not a
 * kernel's source, or one whose EXTRAVERSION is neither empty nor that of a
 * release candidate: its name would not be that of a kernel of kernel.org.
 */
_must_check_ struct error *source_version_read(const char *directory,
					       struct kernel_version *ret);

#endif /* KBUILD_SOURCE_SOURCE_VERSION_H */
