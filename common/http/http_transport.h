// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_HTTP_HTTP_TRANSPORT_H
#define COMMON_HTTP_HTTP_TRANSPORT_H

/**
 * @file
 *
 * One HTTP request at a time, by libcurl: what http.h says of connections,
 * redirects, tokens, stalls and interrupts, but without another try.
 */

#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"

struct error;
struct http_attempt;
struct http_request;
struct http_transport;

/** @param[in] user_agent May be NULL. */
_must_check_ struct error *http_transport_create(const char *user_agent,
						 uint64_t stall_limit_ms,
						 struct http_transport **ret);
void http_transport_destroy(struct http_transport *transport);

static inline void cleanup_http_transport(struct http_transport **transport)
{
	http_transport_destroy(*transport);
}

#define _cleanup_http_transport_ _cleanup_(cleanup_http_transport)

/**
 * Send a request once, and hand what comes to the sink, whatever the status.
 *
 * @param[in] extra More headers, ended by NULL; may be NULL.
 * @param[out] attempt_ret Set always. With an error, `broken` tells one that
 * may pass from one that is final.
 */
_must_check_ struct error *
http_transport_send(struct http_transport *transport,
		    const struct http_request *request, const char *const *extra,
		    file_sink sink, void *arg, struct http_attempt *attempt_ret);

/** Status of the latest answer; in a sink, of the one that is arriving. */
long http_transport_status(struct http_transport *transport);

/**
 * Value of a header of the latest answer; NULL if it has none. Valid until the
 * next request.
 */
const char *http_transport_header(struct http_transport *transport,
				  const char *name);

/** A header that is a number; -1 if it is not there or something else. */
int64_t http_transport_number(struct http_transport *transport, const char *name);

#endif /* COMMON_HTTP_HTTP_TRANSPORT_H */
