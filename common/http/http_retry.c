// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http_internal.h"

const struct backoff backoff_failure = { .first_ms = 500, .limit_ms = 30000 };

/** What GitHub asks for when it names no time. */
static const struct backoff secondary_limit = {
	.first_ms = 60000,
	.limit_ms = 3600000,
};

uint64_t backoff_ms(const struct backoff *backoff, unsigned int waits)
{
	uint64_t ms = backoff->first_ms, limit_ms = backoff->limit_ms;

	for (; waits && ms < limit_ms; waits--)
		ms = ms < limit_ms / 2 ? 2 * ms : limit_ms;
	return ms < limit_ms ? ms : limit_ms;
}

static uint64_t seconds_to_ms(int64_t seconds)
{
	if (seconds < 0)
		return 0;
	// A year is for ever; more might overflow.
	if (seconds > 366 * 24 * 3600)
		seconds = 366 * 24 * 3600;
	return (uint64_t)seconds * 1000;
}

static uint64_t failure_wait(unsigned int failures, uint32_t random)
{
	uint64_t wait_ms = backoff_ms(&backoff_failure, failures);

	return wait_ms / 2 + random % (wait_ms / 2 + 1);
}

/** Of a 403 or 429. @return Whether it is a rate limit. */
static bool rate_limit_wait(const struct http_attempt *attempt,
			    unsigned int failures, int64_t now_s,
			    uint64_t *wait_ms_ret)
{
	uint64_t wait_ms = 0;

	if (!attempt->rate_exhausted && attempt->retry_after_s < 0) {
		if (attempt->status != 429 && !attempt->rate_message)
			return false;
		*wait_ms_ret = backoff_ms(&secondary_limit, failures);
		return true;
	}
	// A second more, as the clocks may differ by the part they do not say.
	if (attempt->rate_exhausted)
		wait_ms = seconds_to_ms(attempt->rate_reset_s - now_s) + 1000;
	if (seconds_to_ms(attempt->retry_after_s) > wait_ms)
		wait_ms = seconds_to_ms(attempt->retry_after_s);
	*wait_ms_ret = wait_ms;
	return true;
}

enum http_verdict http_attempt_judge(const struct http_attempt *attempt,
				     unsigned int failures, uint32_t random,
				     int64_t now_s, uint64_t *wait_ms_ret)
{
	if ((attempt->status == 403 || attempt->status == 429) &&
	    rate_limit_wait(attempt, failures, now_s, wait_ms_ret))
		return HTTP_LIMITED;
	if (!attempt->broken && attempt->status < 500)
		return HTTP_FINAL;
	*wait_ms_ret = attempt->retry_after_s >= 0
			       ? seconds_to_ms(attempt->retry_after_s)
			       : failure_wait(failures, random);
	return HTTP_FAILED;
}
