// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_HTTP_HTTP_INTERNAL_H
#define COMMON_HTTP_HTTP_INTERNAL_H

/**
 * @file
 *
 * What whole answers (http.c) and streams (http_stream.c) share: the tries of a
 * request, one after the other. http_transport.c does each with libcurl, and
 * implements what http.h says of connections, redirects, tokens, stalls and
 * interrupts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

struct error;
struct http;
struct http_request;

/* When to ask a server again: decisions only. */

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
	/** If x-ratelimit-remaining is 0: its reset, seconds since 1970; or 0. */
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

/** A request over all its tries. */
struct http_tries {
	struct http *http;
	const struct http_request *request;
	/** Since when they have been failing, and how many have. */
	uint64_t since_ms;
	unsigned int failures;
	/** What the latest has shown. */
	struct http_attempt attempt;
	/** Of its answer, what is kept in memory. */
	struct string_builder body;
};

/**
 * Begin a try, whose answer http_read() brings.
 *
 * @param[in] extra More headers, ended by NULL; may be NULL.
 */
_must_check_ struct error *http_begin(struct http_tries *tries,
				      const char *const *extra);

/**
 * Wait for the next piece of the answer's body, whatever the status. Sets the
 * attempt from the answer's headers; after an error only `broken`, which is
 * true if the request may succeed later.
 *
 * @param[out] data_ret Borrowed until the next call.
 * @param[out] size_ret 0 at the end.
 */
_must_check_ struct error *http_read(struct http_tries *tries,
				     const void **data_ret, size_t *size_ret);

/** Call it after each http_begin(), also a failed one; harmless otherwise. */
void http_end(struct http *http);

/**
 * Decide what follows a try that has ended, and wait if it is another one.
 *
 * @param[in,out] err Its error, which is destroyed if it is tried again, or
 * replaced by one that says why it is not.
 * @return Whether to try again.
 */
bool http_try_again(struct http_tries *tries, struct error **err);

/**
 * Value of a header of the latest answer; NULL if it has none. Valid until the
 * next request.
 */
const char *http_header(struct http *http, const char *name);

/** A header that is a number; -1 if it is not there or something else. */
int64_t http_header_number(struct http *http, const char *name);

/** Whether the latest answer is HTML, which a program never asks for. */
bool http_answer_is_page(struct http *http);

/** What a refusal's status and body say, as http_response_error(). */
_must_check_ struct error *http_status_error(long status, const char *body,
					     size_t size_bytes);

#endif /* COMMON_HTTP_HTTP_INTERNAL_H */
