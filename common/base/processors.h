// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_PROCESSORS_H
#define COMMON_BASE_PROCESSORS_H

/** @file Processors, to choose how much runs at once. */

/** How many we may use (taskset(1), the CPU set of a container); at least 1. */
unsigned int processors_usable(void);

#endif /* COMMON_BASE_PROCESSORS_H */
