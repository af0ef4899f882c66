// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <strings.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/text.h"

bool http_is_url(const char *text)
{
	return strncasecmp(text, "http://", 7) == 0 ||
	       strncasecmp(text, "https://", 8) == 0;
}

/** A part of a URL, in lower case; NULL if it has none; free(). */
static char *url_part(CURLU *url, CURLUPart part)
{
	char *text = NULL, *copy;

	if (curl_url_get(url, part, &text, 0) != CURLUE_OK)
		return NULL;
	copy = string_copy(text);
	curl_free(text);
	for (char *p = copy; *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 'a' - 'A') : *p;
	return copy;
}

struct error *http_origin_read(const char *url, struct http_origin *ret)
{
	CURLU *parsed = curl_url();

	if (!parsed)
		memory_exhausted();
	*ret = (struct http_origin){ 0 };
	if (curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK) {
		_cleanup_free_ char *user = url_part(parsed, CURLUPART_USER);
		_cleanup_free_ char *password =
			url_part(parsed, CURLUPART_PASSWORD);

		ret->scheme = url_part(parsed, CURLUPART_SCHEME);
		ret->host = url_part(parsed, CURLUPART_HOST);
		ret->has_user = user || password;
	}
	curl_url_cleanup(parsed);
	if (ret->scheme && ret->host)
		return NULL;
	http_origin_deinit(ret);
	return error_create(ERROR_OTHER, "'%s' is not a URL", url);
}

void http_origin_deinit(struct http_origin *origin)
{
	free(origin->scheme);
	free(origin->host);
	*origin = (struct http_origin){ 0 };
}
