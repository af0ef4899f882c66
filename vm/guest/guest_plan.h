// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_GUEST_PLAN_H
#define VM_GUEST_GUEST_PLAN_H

/** @file What a guest is made of: all that is decided before QEMU starts. */

#include "common/base/cleanup.h"
#include "common/base/string_list.h"
#include "vm/qemu/qemu.h"
#include "vm/qemu/share.h"

struct error;
struct guest_config;

struct guest_plan {
	/** All but the machine and the sockets; borrows from the others here. */
	struct qemu_options qemu;
	struct share_plan shares;
	/** init.sh on the host, without symbolic links. */
	char *init;
	/** The module that the guest inserts, where it sees it; or NULL. */
	char *module;
	/** All of the command's environment; what the caller sets wins. */
	struct string_list environment;
};

#define GUEST_PLAN_INIT                                                        \
	{                                                                      \
		.qemu = {.disk_fd = -1 }                                       \
	}

/** @param[in,out] plan Initialised; is not to be moved from here on. */
_must_check_ struct error *guest_plan_make(struct guest_plan *plan,
					   const struct guest_config *config);
void guest_plan_deinit(struct guest_plan *plan);

#define _cleanup_guest_plan_ _cleanup_(guest_plan_deinit)

#endif /* VM_GUEST_GUEST_PLAN_H */
