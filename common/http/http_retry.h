// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_HTTP_HTTP_RETRY_H
#define COMMON_HTTP_HTTP_RETRY_H

/** @file When to ask a server again: decisions only. */

#include <stdbool.h>
#include <stdint.h>

/** Waits before another try, or another look: each twice the one before. */
struct backoff {
	uint64_t first_ms;
	/** The longest wait. */
	uint64_t limit_ms;
};

/** For what a server has failed to do: half a second to half a minute. */
extern const struct backoff backoff_failure;

/** @param[in] waits How many came before this one. */
uint64_t backoff_ms(const struct backoff *backoff, unsigned int waits);

/** What an attempt has shown. */
struct http_attempt {
	/** 0 if there was no whole answer. */
	long status;
	/** No answer, for a reason that may pass. */
	bool broken;
	/** Not even a connection. */
	bool unreachable;
	/** Retry-After in seconds; -1 if there was none. */
	int64_t retry_after_s;
	/** x-ratelimit-remaining is 0, and its reset, in seconds since 1970. */
	bool rate_exhausted;
	int64_t rate_reset_s;
	/** The body speaks of a rate limit. */
	bool rate_message;
};

enum http_verdict {
	/** A success, or a failure that will not change. */
	HTTP_FINAL,
	HTTP_FAILED,
	/** The server has done nothing, and says that it will later. */
	HTTP_LIMITED,
};

/**
 * @param[in] failures Attempts of the same request that failed before.
 * @param[in] random Any number: clients that fail together come back apart.
 * @param[in] now_s Seconds since 1970.
 * @param[out] wait_ms_ret How long to wait unless the verdict is HTTP_FINAL.
 */
enum http_verdict http_attempt_judge(const struct http_attempt *attempt,
				     unsigned int failures, uint32_t random,
				     int64_t now_s, uint64_t *wait_ms_ret);

#endif /* COMMON_HTTP_HTTP_RETRY_H */
