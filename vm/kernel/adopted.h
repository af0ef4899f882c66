// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_KERNEL_ADOPTED_H
#define VM_KERNEL_ADOPTED_H

/**
 * @file
 *
 * Kernels that are no packages: a build tree, an image, an installed kernel. A
 * directory of links makes such a kernel look like an unpacked package. It is
 * kept, `DIRECTORY/ARCH/adopted-DIGEST/`, and made again when what it leads to
 * has changed.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct catalog_arch;
struct error;
struct kernel;

/** What `-k` says for the newest kernel of /boot. */
#define ADOPTED_INSTALLED "installed"

/**
 * Make a kernel usable as a package is. One whose drivers of a guest are
 * modules gets an initramfs that loads them (initramfs.h).
 *
 * @param[in] path ADOPTED_INSTALLED, or that of
 * - a build tree: where the kernel was built, in its source or elsewhere (O=);
 * - an image in such a tree;
 * - an image: its modules are in `../lib/modules/RELEASE`, its configuration is
 *   beside it, `config-RELEASE`, if they are there.
 * @param[in] directory Of downloads.
 * @return ERROR_NOT_FOUND if there is no such file; ERROR_OTHER if it is no
 * kernel, or cannot run commands: the options that it lacks.
 */
_must_check_ struct error *kernel_adopt(const char *path, const char *directory,
					const struct catalog_arch *arch,
					struct kernel *ret);

/** Whether a kernel's directory is one that this has made. */
bool kernel_is_adopted(const char *path);

#endif /* VM_KERNEL_ADOPTED_H */
