// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_DISK_H
#define VM_GUEST_DISK_H

/** @file A scratch disk: a sparse file that has no name. */

#include <stdint.h>

#include "common/base/cleanup.h"

struct error;

/**
 * Make an empty disk, whose blocks are taken from the folder's file system when
 * they are written, and given back when the last descriptor is closed, however
 * that happens.
 *
 * @param[out] fd_ret Readable and writable; close().
 */
_must_check_ struct error *disk_create(const char *directory,
				       uint64_t size_bytes, int *fd_ret);

#endif /* VM_GUEST_DISK_H */
