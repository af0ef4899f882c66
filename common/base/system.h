// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_SYSTEM_H
#define COMMON_BASE_SYSTEM_H

/** @file What the host lets us use: its clock, its processors and threads, the terminal. */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** The clock of deadlines and durations, in milliseconds. Async-signal-safe. */
uint64_t monotonic_ms(void);

/** How many we may use (taskset(1), the CPU set of a container); at least 1. */
unsigned int processors_usable(void);

/**
 * Bytes of memory that programs can have without others being swapped out;
 * UINT64_MAX if the kernel does not say.
 */
uint64_t memory_available(void);

/**
 * As pthread_create(3). Signals are for the thread that works for the user:
 * this one has them blocked.
 */
int thread_create(pthread_t *thread, void *(*run)(void *arg), void *arg);

enum {
	/** Of one message. */
	SEND_FDS_MAX = 4,
};

/**
 * As send(2), which raises no SIGPIPE, with descriptors, of which who receives
 * it gets copies (SCM_RIGHTS in unix(7)).
 *
 * @param[in] fd_count At most SEND_FDS_MAX; 0 for none.
 */
ssize_t send_with_fds(int fd, const void *data, size_t size_bytes,
		      const int *fds, size_t fd_count, int flags);

/**
 * Whether this is a terminal that we may read, set and draw on now: a shell can
 * put us in the background and back at any time. A background process that
 * reads the terminal or sets its modes is stopped (SIGTTIN, SIGTTOU), and its
 * output is mixed with that of others.
 */
bool foreground_has_terminal(int fd);

#endif /* COMMON_BASE_SYSTEM_H */
