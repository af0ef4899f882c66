// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_PROCESS_PROCESS_CHILD_H
#define COMMON_PROCESS_PROCESS_CHILD_H

/**
 * @file
 *
 * What a child does between fork and exec. For process.c only.
 */

#include <signal.h>
#include <sys/types.h>

#include "common/base/cleanup.h"

struct error;
struct process_options;

enum {
	/**
	 * Has a guard end all that it guards. The kernel sends it when the
	 * parent dies; no terminal is ours.
	 */
	PROCESS_END_FAMILY = SIGHUP,
};

/** All that it needs, made before the fork: it must not ask for memory. */
struct process_child {
	const struct process_options *options;
	const char *path;
	char *const *environment;
	/** The pipe that it writes to; -1 if there is none. */
	int output_fd;
};

/**
 * Fork, and wait for exec or a failure.
 *
 * @param[out] pid_ret To be reaped, whatever is returned; 0 for none.
 * @return ERROR_NOT_FOUND if there is no such program.
 */
_must_check_ struct error *process_child_start(const struct process_child *child,
					       pid_t *pid_ret);

#endif /* COMMON_PROCESS_PROCESS_CHILD_H */
