// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_PROCESS_ENVIRONMENT_H
#define COMMON_PROCESS_ENVIRONMENT_H

/**
 * @file
 *
 * Our environment, which holds secrets: in /proc, a process shows its own to
 * all others of its user. A guest is one of them, since it reads what QEMU may
 * read.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"

/**
 * Show it to nobody from here on; getenv(3) still does. Our memory is for root
 * only, and no core is dumped of it.
 *
 * To be called before anything else: what getenv() returned before is wiped.
 * A second call does nothing.
 */
void environment_hide(void);

/**
 * The environment of a child.
 *
 * @param[in] inherited Of our variables, those that it has, ended by NULL; NULL
 * for all.
 * @param[in] keeps_tokens Whether tokens are among them.
 * @param[in] changes `NAME=VALUE` to set, `NAME` to leave out, ended by NULL;
 * may be NULL.
 * @return Ended by NULL; free(). Borrows its variables.
 */
char **environment_of_child(const char *const *inherited, bool keeps_tokens,
			    const char *const *changes);

#endif /* COMMON_PROCESS_ENVIRONMENT_H */
