// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_GUEST_LINK_H
#define VM_GUEST_GUEST_LINK_H

/** @file The descriptors between us and one QEMU. */

#include <stdbool.h>

#include "common/base/cleanup.h"
#include "vm/guest/qemu.h"

struct error;
struct guest_config;

/** One side of it, ours or QEMU's; -1 for what is not there. */
struct guest_link {
	/** The guest's serial console. */
	int console_fd;
	/** Of virtio-serial, those that the command needs. */
	int port_fds[PORT_COUNT];
	/** What QEMU itself prints. */
	int output_fd;
};

/** Make both sides; ours do not block. */
_must_check_ struct error *guest_link_create(const struct guest_config *config,
					     struct guest_link *ours_ret,
					     struct guest_link *qemus_ret);

/** Nothing is there. */
void guest_link_init(struct guest_link *link);

/** Close what is there. */
void guest_link_deinit(struct guest_link *link);

#define _cleanup_guest_link_ _cleanup_(guest_link_deinit)

/** Whether a command is to have this port. */
bool guest_link_has_port(const struct guest_config *config, enum guest_port port);

#endif /* VM_GUEST_GUEST_LINK_H */
