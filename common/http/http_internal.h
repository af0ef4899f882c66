// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_HTTP_HTTP_INTERNAL_H
#define COMMON_HTTP_HTTP_INTERNAL_H

/** @file What http.c and http_stream.c share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/string_builder.h"

struct error;
struct http_attempt;
struct http_request;
struct http_transport;

struct http {
	struct http_transport *transport;
	uint64_t retry_limit_ms;
	uint64_t stall_limit_ms;
};

/** How long one call has been failing. */
struct http_patience {
	uint64_t since_ms;
	unsigned int failures;
};

/** A body that is kept in memory. */
struct http_collector {
	struct string_builder body;
	uint64_t limit_bytes;
};

_must_check_ struct error *http_collect(struct http_collector *collector,
					const void *data, size_t size_bytes);

/** Whether what was collected speaks of a rate limit. */
bool http_collector_is_limit(const struct http_collector *collector);

/**
 * Decide what follows an attempt, and wait if it is another one.
 *
 * @param[in,out] err The attempt's error, which is destroyed if it is tried
 * again, or replaced by one that says why it is not.
 * @return Whether to try again.
 */
bool http_try_again(struct http *http, const struct http_request *request,
		    const struct http_attempt *attempt,
		    struct http_patience *patience, struct error **err);

/** What a refusal's status and body say, as http_response_error(). */
_must_check_ struct error *http_status_error(long status, const char *body,
					     size_t size_bytes);

#endif /* COMMON_HTTP_HTTP_INTERNAL_H */
