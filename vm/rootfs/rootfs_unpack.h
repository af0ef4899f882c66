// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_ROOTFS_ROOTFS_UNPACK_H
#define VM_ROOTFS_ROOTFS_UNPACK_H

/** @file Unpack a root that was made here. For rootfs.c only. */

#include "common/base/cleanup.h"

struct error;
struct process;

/**
 * Unpack a tarball as it arrives. Unlike unpack.h, this keeps what makes a
 * system: links to absolute paths, setuid bits, and, if we are root, owners. If
 * not, all files are ours. Device nodes are left out: a guest mounts its own.
 *
 * @param[in] process What writes it; its output is read (process_read()).
 * @param[in] directory Absolute, without symbolic links, and empty.
 * @return ERROR_CANCELLED (interrupt.h).
 */
_must_check_ struct error *rootfs_unpack(struct process *process,
					 const char *directory);

#endif /* VM_ROOTFS_ROOTFS_UNPACK_H */
