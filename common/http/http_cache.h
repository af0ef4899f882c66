// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_HTTP_HTTP_CACHE_H
#define COMMON_HTTP_HTTP_CACHE_H

/**
 * @file
 *
 * Answers that carried an ETag, one file each, so that asking again costs the
 * server nothing. A cache that cannot be read or written is an empty one: these
 * functions have no errors.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct http_cached {
	char *etag;
	/** Where the answer continues; "" if it does not. */
	char *next_url;
	/** NUL-terminated. */
	char *body;
	size_t body_size_bytes;
};

void http_cached_deinit(struct http_cached *cached);

#define _cleanup_http_cached_ _cleanup_(http_cached_deinit)

/**
 * @param[in] authorised Whether the request carries a token: the answer may be
 * another one.
 * @return Whether the answer is known.
 */
bool http_cache_load(const char *directory, const char *url, bool authorised,
		     struct http_cached *ret);

void http_cache_save(const char *directory, const char *url, bool authorised,
		     const struct http_cached *cached);

void http_cache_drop(const char *directory, const char *url, bool authorised);

#endif /* COMMON_HTTP_HTTP_CACHE_H */
