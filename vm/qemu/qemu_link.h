// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_QEMU_QEMU_LINK_H
#define VM_QEMU_QEMU_LINK_H

/** @file One QEMU that runs, and the descriptors between it and us. */

#include <stdint.h>

#include "common/base/cleanup.h"
#include "vm/qemu/qemu.h"

struct error;
struct process;

/** -1 and NULL for what is not there. */
struct qemu_link {
	struct process *qemu;
	/** The guest's serial console. */
	int console_fd;
	/** Of virtio-serial, those that the command needs. */
	int port_fds[PORT_COUNT];
	/** What QEMU itself prints. */
	int output_fd;
};

#define QEMU_LINK_INIT                                                         \
	{                                                                      \
		.console_fd = -1, .output_fd = -1, .port_fds = {               \
			[0 ... PORT_COUNT - 1] = -1                            \
		}                                                              \
	}

/**
 * Start QEMU.
 *
 * @param[in] ports Those that there are, as 1 << enum qemu_port.
 * @param[in] options All but the sockets.
 * @param[out] link_ret Its descriptors do not block.
 * @return ERROR_NOT_FOUND if there is no such program.
 */
_must_check_ struct error *qemu_link_create(struct qemu_options *options,
					    unsigned int ports,
					    struct qemu_link *link_ret);

/** End and close what is there. */
void qemu_link_deinit(struct qemu_link *link);

#define _cleanup_qemu_link_ _cleanup_(qemu_link_deinit)

/**
 * What QEMU may not read, since the guest could: the host's /proc, where the
 * processes of the same user show their environment.
 *
 * @param[out] fd_ret For struct process_options's ruleset_fd; close(). It is -1
 * where the kernel cannot do it (Landlock, from 5.19 on).
 */
_must_check_ struct error *qemu_confine(int *fd_ret);

/**
 * Make an empty scratch disk: a sparse file without a name, whose blocks are
 * taken from the directory's file system when they are written, and given back
 * when the last descriptor is closed, however that happens.
 *
 * @param[out] fd_ret Readable and writable; close().
 */
_must_check_ struct error *qemu_disk_create(const char *directory,
					    uint64_t size_bytes, int *fd_ret);

#endif /* VM_QEMU_QEMU_LINK_H */
