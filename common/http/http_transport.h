// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_HTTP_HTTP_TRANSPORT_H
#define COMMON_HTTP_HTTP_TRANSPORT_H

/**
 * @file
 *
 * One HTTP request at a time, by libcurl: what http.h says of connections,
 * redirects, tokens, stalls and interrupts, but without another try.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

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
 * Begin a request, whose answer http_transport_read() brings.
 *
 * @param[in] request Borrowed until http_transport_end().
 * @param[in] extra More headers, ended by NULL; may be NULL.
 */
_must_check_ struct error *http_transport_begin(struct http_transport *transport,
						const struct http_request *request,
						const char *const *extra);

/**
 * Wait for the next piece of the answer's body, whatever the status.
 *
 * @param[out] data_ret Borrowed until the next call.
 * @param[out] size_ret 0 at the end.
 * @param[out] attempt_ret Set at the end; of an error only `broken`, which
 * tells one that may pass from one that is final.
 */
_must_check_ struct error *http_transport_read(struct http_transport *transport,
					       const void **data_ret,
					       size_t *size_ret,
					       struct http_attempt *attempt_ret);

/** Also before the end of the answer, and if none was begun. */
void http_transport_end(struct http_transport *transport);

/** Status of the latest answer, or of the one that is arriving. */
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
