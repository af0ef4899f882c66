// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_MODULE_MODULE_FILES_H
#define VM_MODULE_MODULE_FILES_H

/**
 * @file
 *
 * What goes into the build of an external module, and what comes out of it.
 *
 * A source is the files of a directory, but for what a build there leaves
 * behind. A result is a directory with all modules that were made, and a link
 * to the first.
 */

#include "common/archive/digest.h"
#include "common/base/cleanup.h"

struct error;

/**
 * A digest over the names and contents of all files.
 *
 * @return ERROR_USAGE if it is no directory with a Makefile or Kbuild.
 */
_must_check_ struct error *
module_source_digest(const char *path, char text_ret[static DIGEST_TEXT_SIZE]);

/** Copy all files to a directory, which is made. */
_must_check_ struct error *module_source_copy(const char *path, const char *to);

/**
 * Find out whether the programs in a package's build directory run here, as
 * they are, or because binfmt_misc has an emulator run them: they are of the
 * machine that built the kernel, whatever the kernel's own architecture is. A
 * package without any is left to make.
 *
 * @param[in] kernel_path The package's directory.
 * @return An error that says for what machine they are.
 */
_must_check_ struct error *host_programs_check(const char *kernel_path);

/** The path of the first module; NULL if it is not there. */
char *module_result_find(const char *result);

/** Copy the modules from where make has made them. */
_must_check_ struct error *module_result_collect(const char *source,
						 const char *result);

#endif /* VM_MODULE_MODULE_FILES_H */
