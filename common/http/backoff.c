// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/backoff.h"

const struct backoff backoff_failure = { .first_ms = 500, .limit_ms = 30000 };

uint64_t backoff_ms(const struct backoff *backoff, unsigned int waits)
{
	uint64_t ms = backoff->first_ms, limit_ms = backoff->limit_ms;

	for (; waits && ms < limit_ms; waits--)
		ms = ms < limit_ms / 2 ? 2 * ms : limit_ms;
	return ms < limit_ms ? ms : limit_ms;
}
