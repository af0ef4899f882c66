// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_QEMU_CONFINEMENT_H
#define VM_QEMU_CONFINEMENT_H

/**
 * @file
 *
 * What QEMU may not read, since the guest could: the host's /proc, where the
 * processes of the same user show their environment.
 */

#include "common/base/cleanup.h"

struct error;

/**
 * @param[out] fd_ret For struct process_options's ruleset_fd; close(). It is -1
 * where the kernel cannot do it (Landlock, from 5.19 on).
 */
_must_check_ struct error *confinement_create(int *fd_ret);

#endif /* VM_QEMU_CONFINEMENT_H */
