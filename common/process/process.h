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
 * it dies, however that happens (prctl(2), PR_SET_PDEATHSIG); whatever it started
 * is killed with it if it is guarded. A child is a resource: destroying one
 * that still runs kills and reaps it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/cleanup.h"

struct error;
struct process;
struct sock_fprog;

struct process_options {
	/** Ended by NULL; a program without a slash is searched in its PATH. */
	const char *const *arguments;
	/**
	 * Names of variables that it inherits, or `BEGINNING*`, ended by NULL;
	 * NULL for all.
	 */
	const char *const *inherited;
	/** `NAME=VALUE` to set, `NAME` to unset, ended by NULL; may be NULL. */
	const char *const *environment;
	/** Whether it inherits the tokens of GitHub and of a workflow's job. */
	bool keeps_tokens;
	/** Working directory, NULL for ours. */
	const char *directory;
	/** A descriptor of ours; NULL, or a pointer to -1, for /dev/null. */
	const int *stdin_fd;
	/**
	 * NULL, or a pointer to -1, for our own. Use the same descriptor for
	 * both for a common log.
	 */
	const int *stdout_fd;
	const int *stderr_fd;
	/** Instead of these, a pipe to process_read() from; one for both. */
	bool reads_stdout;
	bool reads_stderr;
	/** Other descriptors that it inherits, under the same number. */
	const int *keep_fds;
	unsigned int keep_fd_count;
	/** Landlock's rules for it, see landlock(7); NULL or -1 for none. */
	const int *ruleset_fd;
	/** The access that it adds for its own directory in /proc. */
	uint64_t own_access;
	/** Of root's capabilities(7), those that it has, as bits; 0 for all. */
	uint64_t capabilities;
	/**
	 * Changes what its system calls do, see seccomp(2), and forbids it to
	 * gain rights; NULL for none.
	 */
	const struct sock_fprog *filter;
	/**
	 * Whether all that it starts dies with it and with us, daemons too. This
	 * takes one more process, which is then the one that process_fd()
	 * refers to.
	 */
	bool guarded;
	/** How much memory it may have for data, and so may each that it
	 * starts; 0 for no limit. */
	uint64_t memory_bytes;
	/** For process_run() and process_capture(): 0 for no limit. */
	uint64_t timeout_ms;
};

/** How a child ended: exactly one of the two, the other is 0. */
struct process_status {
	int exit_status;
	int signal;
};

/** "NAME was killed by signal 9", "NAME ended with status 1"; free(). */
char *process_status_text(const struct process_status *status, const char *name);

/**
 * Start a child. All arguments are copied. Of our descriptors, it has only
 * those that the options name.
 *
 * @return ERROR_NOT_FOUND if there is no such program.
 */
_must_check_ struct error *process_spawn(const struct process_options *options,
					 struct process **ret);

/** Its number, for what it has in /proc; 0 once it has been reaped. */
pid_t process_pid(const struct process *process);

/** A descriptor that polls readable once the child has ended (a pidfd). */
int process_fd(const struct process *process);

/**
 * Send a signal to the child's whole process group; SIGKILL to all that a
 * guarded child has started.
 */
void process_kill(struct process *process, int signal);

/**
 * Wait for the child to write something, and read it. The output ends when all
 * have closed the pipe, or when the child ends, even if a daemon that it has
 * started keeps the pipe open.
 *
 * @param[in] deadline_ms Monotonic; 0 for never.
 * @param[out] size_ret Bytes read; 0 at the end.
 * @return ERROR_CANCELLED (interrupt.h); ERROR_OTHER on timeout.
 */
_must_check_ struct error *process_read(struct process *process,
					uint64_t deadline_ms, void *data,
					size_t size_bytes, size_t *size_ret);

/**
 * Wait for the child to end; its output is not read any more. On timeout or
 * interrupt its group is killed.
 *
 * @param[in] deadline_ms Monotonic; 0 for never.
 * @return ERROR_CANCELLED (interrupt.h); ERROR_OTHER on timeout.
 */
_must_check_ struct error *process_wait(struct process *process,
					uint64_t deadline_ms,
					struct process_status *status_ret);

/** Kills and reaps a child that still runs, with its group. */
void process_destroy(struct process *process);

DEFINE_CLEANUP(process, struct process *, process_destroy)
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

/**
 * Where a program is: a name with a slash is a path already. NULL if PATH has
 * none; free().
 */
char *process_program_path(const char *name);

/** Whether a program can be run: one of PATH, or, with a slash, of this path. */
bool process_program_exists(const char *name);

/** Forget what children do not get either, before we become another program. */
void process_drop_tokens(void);

/**
 * Hide our environment, which holds secrets, from other processes; getenv(3)
 * still works. /proc shows a process's environment to all others of its user,
 * and so to a guest, which can read what QEMU can. Afterwards only root can
 * read our memory, and no core is dumped.
 *
 * Call it before anything else: what getenv() returned before is wiped.
 * A second call does nothing.
 */
void process_hide_environment(void);

/* What a child has printed to a file. */

/** Where the last lines of text that ends with a newline begin. */
const char *output_last_lines(const char *text, size_t lines);

/**
 * The last lines of a file, as plain text (text.h), ended by a newline unless
 * there are none; free(). If it cannot be read, why.
 *
 * @param[in] path A file that is not there, or NULL, is empty.
 * @param[in] limit_bytes Of the file, whatever the number of lines.
 */
char *output_tail(const char *path, size_t lines, size_t limit_bytes);

#endif /* COMMON_PROCESS_PROCESS_H */
