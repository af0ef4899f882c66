// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_FOREGROUND_H
#define COMMON_BASE_FOREGROUND_H

/**
 * @file
 *
 * Job control: who reads the terminal or sets its modes in the background is
 * stopped (SIGTTIN, SIGTTOU), and what it draws there disturbs others.
 */

#include <stdbool.h>

/**
 * Whether this is a terminal that we may read, set and draw on now: a shell can
 * put us in the background and back at any time.
 */
bool foreground_has_terminal(int fd);

#endif /* COMMON_BASE_FOREGROUND_H */
