// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_GUEST_JOIN_H
#define VM_GUEST_GUEST_JOIN_H

/** @file Guests that other processes of the user run: which, and a way in. */

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

struct error;
struct guest_config;

struct guest_info {
	char *name;
	int pid;
	char *release;
	char *arch;
	/** booting, running, crashed, ending, kept */
	char *state;
	/** Of one that is kept: exited, with its status, or timed_out; or NULL. */
	char *outcome;
	int exit_status;
	uint64_t age_ms;
	struct string_list command;
};

/** Those that answer, the newest first. */
struct guest_info_list {
	struct guest_info *items;
	size_t count;
};

_must_check_ struct error *guest_info_list_load(struct guest_info_list *ret);
void guest_info_list_deinit(struct guest_info_list *list);

#define _cleanup_guest_info_list_ _cleanup_(guest_info_list_deinit)

/**
 * Run a command in a guest. Blocks until it ends; then, or when we end, it is ended
 * in the guest, too.
 *
 * @param[in] config Its command, streams, environment, user, and directory, which
 * is NULL for ours, if the guest's root is the host's, or else the guest's.
 * @param[out] status_ret The command's, or that of a guest that is lost.
 * @return Why the command was not run; ERROR_CANCELLED if the user ends it.
 */
_must_check_ struct error *guest_join(const char *name,
				      const struct guest_config *config,
				      int *status_ret);

/** End a guest, and wait for that. */
_must_check_ struct error *guest_stop(const char *name);

#endif /* VM_GUEST_GUEST_JOIN_H */
