// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_GUEST_EXTRAS_H
#define VM_GUEST_GUEST_EXTRAS_H

/**
 * @file
 *
 * What a guest is given when it is asked for, and the variables of the
 * command's environment that name it. For guest*.c only.
 */

#include "common/base/cleanup.h"
#include "common/base/string_list.h"

struct error;
struct guest_config;
struct share_plan;

struct guest_extras {
	/** Folders that the guest must see. */
	struct string_list folders;
	/** The module that the guest inserts, where it sees it; or NULL. */
	char *module;
	/** The program that loads a crash kernel, on the host; or NULL. */
	char *loader;
	/** A file that becomes the guest's first disk; -1 for none. */
	int disk_fd;
	/** All of the command's environment; what the caller sets wins. */
	struct string_list environment;
};

#define GUEST_EXTRAS_INIT                                                      \
	{                                                                      \
		.disk_fd = -1                                                  \
	}

/** Make what the host has to make: all but the environment. */
_must_check_ struct error *guest_extras_create(const struct guest_config *config,
					       struct guest_extras *ret);

/** Once it is known where the guest sees the folders: make the environment. */
void guest_extras_name(struct guest_extras *extras,
		       const struct guest_config *config,
		       const struct share_plan *plan);
void guest_extras_deinit(struct guest_extras *extras);

#define _cleanup_guest_extras_ _cleanup_(guest_extras_deinit)

#endif /* VM_GUEST_GUEST_EXTRAS_H */
