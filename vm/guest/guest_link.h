// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_GUEST_LINK_H
#define VM_GUEST_GUEST_LINK_H

/** @file One QEMU, and the descriptors between it and us. */

#include "common/base/cleanup.h"
#include "vm/guest/qemu.h"

struct error;
struct guest_config;
struct process;

/** -1 and NULL for what is not there. */
struct guest_link {
	struct process *qemu;
	/** The guest's serial console. */
	int console_fd;
	/** Of virtio-serial, those that the command needs. */
	int port_fds[PORT_COUNT];
	/** What QEMU itself prints. */
	int output_fd;
};

/**
 * Start QEMU.
 *
 * @param[in] options All but the descriptors, which are set.
 * @param[out] link_ret Its descriptors do not block.
 */
_must_check_ struct error *guest_link_create(const struct guest_config *config,
					     struct qemu_options *options,
					     struct guest_link *link_ret);

/** Nothing is there. */
void guest_link_init(struct guest_link *link);

/** End and close what is there. */
void guest_link_deinit(struct guest_link *link);

#define _cleanup_guest_link_ _cleanup_(guest_link_deinit)

#endif /* VM_GUEST_GUEST_LINK_H */
