// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_MODULE_HOST_PROGRAMS_H
#define VM_MODULE_HOST_PROGRAMS_H

/**
 * @file
 *
 * The programs in a package's build directory that run where a module is built
 * (fixdep, modpost, objtool and others): they are of the machine that built the
 * kernel, whatever the kernel's own architecture is.
 */

#include "common/base/cleanup.h"

struct error;

/**
 * Find out whether they run here: as they are, or because binfmt_misc has an
 * emulator run them. A package without any is left to make.
 *
 * @param[in] kernel_path The package's directory.
 * @return An error that says for what machine they are.
 */
_must_check_ struct error *host_programs_check(const char *kernel_path);

#endif /* VM_MODULE_HOST_PROGRAMS_H */
