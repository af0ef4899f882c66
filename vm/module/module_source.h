// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_MODULE_MODULE_SOURCE_H
#define VM_MODULE_MODULE_SOURCE_H

/**
 * @file
 *
 * The source of an external module: the files of a folder, but for what a build
 * in that folder leaves behind.
 */

#include "common/archive/digest.h"
#include "common/base/cleanup.h"

struct error;

/**
 * A digest over the names and contents of all files.
 *
 * @return ERROR_USAGE if it is no folder with a Makefile or Kbuild.
 */
_must_check_ struct error *
module_source_digest(const char *path, char text_ret[static DIGEST_TEXT_SIZE]);

/** Copy all files to a folder, which is made. */
_must_check_ struct error *module_source_copy(const char *path, const char *to);

#endif /* VM_MODULE_MODULE_SOURCE_H */
