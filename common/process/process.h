// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_PROCESS_PROCESS_H
#define COMMON_PROCESS_PROCESS_H

/**
 * @file
 *
 * Child processes.
 *
 * No shell is involved. A child leads its own process group, so that ending it
 * ends what it started; it is killed by the kernel when the thread that started
 * it dies, however that happens (prctl(2), PR_SET_PDEATHSIG); what it started
 * is killed with it if it is guarded. A child is a resource: destroying one
 * that still runs kills and reaps it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/cleanup.h"

struct error;
struct process;

struct process_options {
	/** Ended by NULL; a program without a slash is searched in PATH. */
	const char *const *arguments;
	/** Of our variables, those that it inherits, ended by NULL; NULL for all. */
	const char *const *inherited;
	/** `NAME=VALUE` to set, `NAME` to unset, ended by NULL; may be NULL. */
	const char *const *environment;
	/** Tokens are not for children (environment.h), but for this one. */
	bool keeps_tokens;
	/** Working directory, NULL for ours. */
	const char *directory;
	/** 0 for /dev/null. */
	int stdin_fd;
	/** 0 for ours. Use the same descriptor for both for a common log. */
	int stdout_fd;
	int stderr_fd;
	/** Descriptors that the child inherits under the same number. */
	const int *keep_fds;
	unsigned int keep_fd_count;
	/** Landlock's rules for it, see landlock(7); 0 or less for none. */
	int ruleset_fd;
	/**
	 * Whether its process group dies with us too. This takes a process
	 * more, which is the one that process_pid() and process_fd() are about.
	 */
	bool guarded;
	/** For process_run() and process_capture(): 0 for no limit. */
	uint64_t timeout_ms;
};

/** How a child ended: exactly one of the two, the other is 0. */
struct process_status {
	int exit_status;
	int signal;
};

/**
 * Start a child. All arguments are copied.
 *
 * @return ERROR_NOT_FOUND if there is no such program.
 */
_must_check_ struct error *process_spawn(const struct process_options *options,
					 struct process **ret);

pid_t process_pid(const struct process *process);

/** A descriptor that polls readable when the child has ended (pidfd_open(2)). */
int process_fd(const struct process *process);

/** Send a signal to the child's whole process group. */
void process_kill(struct process *process, int signal);

/**
 * Wait for the child to end. On timeout or interrupt its group is killed.
 *
 * @param[in] deadline_ms Monotonic; 0 for never.
 * @return ERROR_CANCELLED (interrupt.h); ERROR_OTHER on timeout.
 */
_must_check_ struct error *process_wait(struct process *process,
					uint64_t deadline_ms,
					struct process_status *status_ret);

/** Kills and reaps a child that still runs, with its group. */
void process_destroy(struct process *process);

static inline void cleanup_process(struct process **process)
{
	process_destroy(*process);
}

#define _cleanup_process_ _cleanup_(cleanup_process)

/** Spawn and wait. Anything but exit status 0 is an error that names it. */
_must_check_ struct error *process_run(const struct process_options *options);

/**
 * Run a child and take what it writes to stdout, at most @p limit_bytes of it.
 *
 * @param[out] output_ret NUL-terminated, without a final newline; free().
 */
_must_check_ struct error *process_capture(const struct process_options *options,
					   size_t limit_bytes, char **output_ret);

/** Whether a program is found in PATH. */
bool process_program_exists(const char *name);

#endif /* COMMON_PROCESS_PROCESS_H */
