// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_HTTP_BACKOFF_H
#define COMMON_HTTP_BACKOFF_H

/** @file Waits before another try, or another look: each twice the one before. */

#include <stdint.h>

struct backoff {
	uint64_t first_ms;
	/** The longest wait. */
	uint64_t limit_ms;
};

/** For what a server has failed to do: half a second to half a minute. */
extern const struct backoff backoff_failure;

/** @param[in] waits How many came before this one. */
uint64_t backoff_ms(const struct backoff *backoff, unsigned int waits);

#endif /* COMMON_HTTP_BACKOFF_H */
