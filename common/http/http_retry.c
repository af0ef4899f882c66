// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http_retry.h"

enum {
	BACKOFF_FIRST_MS = 500,
	BACKOFF_LAST_MS = 30000,
	/** What GitHub asks for when it names no time. */
	SECONDARY_LIMIT_MS = 60000,
	DOUBLINGS_MAX = 6,
};

static uint64_t seconds_to_ms(int64_t seconds)
{
	if (seconds < 0)
		return 0;
	// A year is for ever; more might overflow.
	if (seconds > 366 * 24 * 3600)
		seconds = 366 * 24 * 3600;
	return (uint64_t)seconds * 1000;
}

static uint64_t doubled(uint64_t first_ms, unsigned int failures)
{
	return first_ms << (failures < DOUBLINGS_MAX ? failures : DOUBLINGS_MAX);
}

static uint64_t backoff_ms(unsigned int failures, uint32_t random)
{
	uint64_t wait_ms = doubled(BACKOFF_FIRST_MS, failures);

	if (wait_ms > BACKOFF_LAST_MS)
		wait_ms = BACKOFF_LAST_MS;
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
		*wait_ms_ret = doubled(SECONDARY_LIMIT_MS, failures);
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
			       : backoff_ms(failures, random);
	return HTTP_FAILED;
}
