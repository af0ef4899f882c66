// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_SYSTEM_H
#define COMMON_BASE_SYSTEM_H

/** @file What the host lets us use: its clock, its processors and threads, the terminal. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

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

/**
 * Whether this is a terminal that we may read, set and draw on now: a shell can
 * put us in the background and back at any time. A background process that
 * reads the terminal or sets its modes is stopped (SIGTTIN, SIGTTOU), and its
 * output is mixed with that of others.
 */
bool foreground_has_terminal(int fd);

#endif /* COMMON_BASE_SYSTEM_H */
