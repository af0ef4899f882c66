// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_KERNEL_INITRAMFS_H
#define VM_KERNEL_INITRAMFS_H

/**
 * @file
 *
 * A first root for kernels that need modules to reach the one they share with
 * the host: busybox, the modules, and initramfs.sh. As the kernel's
 * Documentation/driver-api/early-userspace/buffer-format.rst describes it.
 */

#include "common/base/cleanup.h"

struct error;

/** Its name in a kernel's directory. */
#define INITRAMFS_FILE "initramfs.cpio"

/**
 * Write `KERNEL/initramfs.cpio`, if the kernel has modules of what a guest
 * needs before its first program runs, or does not mount /dev by itself.
 *
 * @param[in] kernel A directory as a package's: modules.dep and modules.
 * @param[in] config The kernel's configuration; empty if it is not known.
 * @return ERROR_OTHER if the kernel has it neither built in nor as modules: the
 * options; or if there is no static busybox.
 */
_must_check_ struct error *initramfs_make(const char *kernel, const char *config);

#endif /* VM_KERNEL_INITRAMFS_H */
