// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_CLOCK_H
#define COMMON_BASE_CLOCK_H

/** @file The clock that deadlines and durations are of. */

#include <stdint.h>

/** Monotonic clock, in milliseconds. Async-signal-safe. */
uint64_t monotonic_ms(void);

#endif /* COMMON_BASE_CLOCK_H */
