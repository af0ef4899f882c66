// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/remote.h"

#include <stdlib.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/http/http.h"

enum {
	/** Of the list of every tarball of a major version; now 1.5 MB. */
	SUMS_LIMIT_BYTES = 64 << 20,
};

struct error *tarball_digest(struct http *http, const char *tarball_url,
			     char digest_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;

	const char *name = path_name(tarball_url);
	_cleanup_free_ char *url = string_format("%.*ssha256sums.asc",
						 (int)(name - tarball_url),
						 tarball_url);
	const struct http_request request = {
		.url = url,
		.limit_bytes = SUMS_LIMIT_BYTES,
	};
	_cleanup_http_response_ struct http_response response = { 0 };
	err = http_perform(http, &request, &response);
	if (err)
		return err;
	if (response.status != 200)
		return http_response_error(&request, &response);
	err = sums_find(response.body, response.body_size_bytes, name,
			digest_ret);
	return error_wrap(err, "%s", url);
}

struct error *tarball_unpack(struct http *http, const char *url,
			     const char *directory,
			     unsigned int strip_components, const char *digest)
{
	struct error *err;

	const struct http_request request = { .url = url };
	const struct unpack_options options = {
		.strip_components = strip_components,
	};
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_BYTES, "download %s", path_name(url));
	_cleanup_stream_ struct stream *stream =
		http_open(http, &request, 0, digest);
	stream->progress = progress;
	err = unpack(stream, directory, &options);
	if (err)
		return err;
	progress_finish(progress);
	return NULL;
}
