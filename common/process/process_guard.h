// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_PROCESS_PROCESS_GUARD_H
#define COMMON_PROCESS_PROCESS_GUARD_H

/**
 * @file
 *
 * A process between us and a child, so that all of the child's process group
 * dies with us: PR_SET_PDEATHSIG is for one process, and is not inherited by
 * those that it starts.
 */

#include <sys/types.h>

/**
 * Go on in a new child, and stay behind as its guard, which ends as the child
 * does, and kills its own process group when its parent dies.
 *
 * To be called by the leader of a process group, between fork and exec: does
 * only what is async-signal-safe.
 *
 * @param[in] parent Who started the leader.
 * @param[in] exec_fd Closed by the guard: it does not stand for the child.
 * @return Only in the child: 0, or an errno if there is none.
 */
int process_guard(pid_t parent, int exec_fd);

#endif /* COMMON_PROCESS_PROCESS_GUARD_H */
