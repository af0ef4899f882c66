// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_HTTP_HTTP_H
#define COMMON_HTTP_HTTP_H

/**
 * @file
 *
 * HTTP on libcurl: retries, and downloads that resume.
 *
 * Proxy and CA settings come from the variables that curl's users know
 * (`https_proxy`, `no_proxy`, `CURL_CA_BUNDLE`, `SSL_CERT_FILE`).
 * Connection failures, 5xx and rate limits are retried with exponential
 * backoff and jitter, or when `Retry-After` or `x-ratelimit-reset` says; other
 * 4xx never are. A server that cannot be reached at all is given up after a
 * tenth of the limit. A transfer that stalls is given up and tried again.
 * Nothing that is asked for here is HTML: a success in that form is a proxy's or a
 * challenge page, and an error that says 'blocked'.
 * Only http and https, and from https no redirect leads back to http. All
 * calls block, and end early with ERROR_CANCELLED (interrupt.h). Connections
 * are kept and used again. One thread an object, and one request at a time: a
 * stream is one until it is closed.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct error;
struct http;
struct progress;
struct stream;

/** How patient the user is. */
struct limits {
	/**
	 * How long to retry while a server fails; 0 to ask once. For a stream,
	 * the time starts anew with each megabyte that has arrived.
	 */
	uint64_t retry_ms;
	/** A transfer without any data for so long is broken; not 0. */
	uint64_t stall_ms;
	/** The longest that a log may be silent while something is at work. */
	uint64_t silence_ms;
};

/**
 * VMTEST_RETRY_SECONDS, VMTEST_STALL_SECONDS and VMTEST_SILENCE_SECONDS, or
 * five minutes, one, and half a one.
 *
 * @return ERROR_USAGE if one of them is set to anything but a number in range.
 */
_must_check_ struct error *limits_read(struct limits *ret);

/** Waits before another try, or another look: each twice the one before. */
struct backoff {
	uint64_t first_ms;
	/** The longest wait. */
	uint64_t limit_ms;
};

/** After failures of a server: half a second to half a minute. */
extern const struct backoff backoff_failure;

/** @param[in] waits How many waits came before this one. */
uint64_t backoff_ms(const struct backoff *backoff, unsigned int waits);

/** @param[in] user_agent Sent as User-Agent. */
struct http *http_create(const char *user_agent, const struct limits *limits);
void http_destroy(struct http *http);

DEFINE_CLEANUP(http, struct http *, http_destroy)
#define _cleanup_http_ _cleanup_(cleanup_http)

const struct limits *http_limits(const struct http *http);

struct http_request {
	/** NULL for GET. */
	const char *method;
	const char *url;
	/** `Name: value`, ended by NULL; may be NULL. */
	const char *const *headers;
	/**
	 * Sent as `Authorization: Bearer`, only to the URL's own host: never
	 * follows a redirect to another. NULL for none.
	 */
	const char *token;
	/**
	 * For http_open(): where the file is for those to whom @p url does not
	 * give it. It is asked where that answers 4xx, or with a page in HTML,
	 * and the headers and the token go to it alone. NULL for none.
	 */
	const char *private_url;
	/** A body from memory, or, if NULL and @p body_path is not, a file. */
	const void *body;
	const char *body_path;
	uint64_t body_size_bytes;
	/** Largest answer: 0 for 16 MiB in memory, and of any size as a stream. */
	uint64_t limit_bytes;
	/**
	 * How many times the stall limit to wait for the first byte of an
	 * answer that has to be made; 0 means once.
	 */
	unsigned int patience;
	/**
	 * Do not retry on 5xx or a broken connection: the caller decides. Rate
	 * limits are still waited for, because nothing has been done then. A
	 * file is sent on a connection of its own.
	 */
	bool no_retry;
	/** Of the body that is sent; may be NULL. */
	struct progress *progress;
};

/** Whether it begins as an http or https URL does. */
bool http_is_url(const char *text);

/** The parts of a URL that say whom it asks, in lower case. */
struct http_origin {
	char *scheme;
	/** Without its port. */
	char *host;
	/** Whether it names a user, too. */
	bool has_user;
};

/** @return ERROR_OTHER if it is no URL. */
_must_check_ struct error *http_origin_read(const char *url,
					    struct http_origin *ret);
void http_origin_deinit(struct http_origin *origin);

#define _cleanup_http_origin_ _cleanup_(http_origin_deinit)

struct http_response {
	long status;
	/** NUL-terminated. */
	char *body;
	uint64_t body_size_bytes;
};

void http_response_deinit(struct http_response *response);

#define _cleanup_http_response_ _cleanup_(http_response_deinit)

/**
 * Ask, and collect the answer in memory. Any status of the server is a success
 * here, after the retries it deserves; http_response_error() makes an error of
 * one.
 *
 * @return ERROR_RETRY if the network failed until the limit; ERROR_OTHER if a
 * rate limit lasts longer than that, and the message says until when.
 */
_must_check_ struct error *http_perform(struct http *http,
					const struct http_request *request,
					struct http_response *ret);

/**
 * An error that says what the server answered: status, and the `message` of a
 * JSON body where there is one. 404 is ERROR_NOT_FOUND, 5xx and 429
 * ERROR_RETRY.
 */
_must_check_ struct error *
http_response_error(const struct http_request *request,
		    const struct http_response *response);

/**
 * The same, but a status other than 200 is an error, as http_response_error()
 * makes it.
 */
_must_check_ struct error *http_perform_ok(struct http *http,
					   const struct http_request *request,
					   struct http_response *ret);

/**
 * The body of a GET as a stream, taken up again by Range where it broke (with
 * If-Range, so that a file that changed meanwhile is an error).
 *
 * @param[in] request Its headers and token are borrowed until the stream is
 * closed.
 * @param[in] size_bytes What must come; 0 if not known.
 * @param[in] digest SHA-256 that it must have; NULL or "" if not known.
 */
struct stream *http_open(struct http *http, const struct http_request *request,
			 uint64_t size_bytes, const char *digest);

#endif /* COMMON_HTTP_HTTP_H */
