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

/**
 * Show it to nobody from here on; getenv(3) still does. Our memory is for root
 * only, and no core is dumped of it.
 *
 * To be called before anything else: what getenv() returned before is wiped.
 * A second call does nothing.
 */
void environment_hide(void);

#endif /* COMMON_PROCESS_ENVIRONMENT_H */
