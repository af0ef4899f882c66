// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/kernel_org.h"

#include <stdio.h>
#include <string.h>

#include "common/catalog.h"
#include "common/error.h"
#include "common/http.h"
#include "common/log.h"
#include "common/progress.h"
#include "kbuild/source_sums.h"

enum {
	/** Of the list of every tarball of a major version; now 1.5 MB. */
	SUMS_LIMIT_BYTES = 64 << 20,
};

struct error *kernel_org_url(const struct catalog *catalog,
			     const struct kernel_version *version, char **ret)
{
	char text[KERNEL_VERSION_TEXT_SIZE];
	int length;

	kernel_version_format(version, text);
	if (kernel_version_is_rc(version))
		length = asprintf(ret, "%s/linux-%s.tar.gz",
				  catalog->kernel_org.rc_url, text);
	else
		length = asprintf(ret, "%s/v%u.x/linux-%s.tar.xz",
				  catalog->kernel_org.tarballs_url,
				  version->major, text);
	if (length < 0) {
		*ret = NULL;
		return error_no_memory();
	}
	return NULL;
}

struct error *kernel_org_digest(struct http *http, const char *url,
				const struct kernel_version *version,
				char digest_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;
	_cleanup_free_ char *sums_url = NULL;
	_cleanup_http_response_ struct http_response response = { 0 };
	const char *name = strrchr(url, '/') + 1;
	struct http_request request = {
		.use_cache = true,
		.limit_bytes = SUMS_LIMIT_BYTES,
	};

	if (kernel_version_is_rc(version)) {
		log_debug("%s: kernel.org publishes no digest of a release candidate",
			  url);
		digest_ret[0] = '\0';
		return NULL;
	}
	if (asprintf(&sums_url, "%.*ssha256sums.asc", (int)(name - url), url) <
	    0) {
		sums_url = NULL;
		return error_no_memory();
	}
	request.url = sums_url;
	err = http_perform(http, &request, &response);
	if (!err && response.status != 200)
		err = http_response_error(&request, &response);
	if (err)
		return err;
	err = source_sums_find(response.body, response.body_size_bytes, name,
			       digest_ret);
	if (err)
		http_forget(http, &request);
	return error_wrap(err, "%s", sums_url);
}

/** A stream on its way, shown as it goes. */
struct download {
	store_sink sink;
	void *arg;
	struct progress *progress;
	uint64_t done_bytes;
};

static struct error *download_take(void *arg, const void *data, size_t size_bytes)
{
	struct download *download = arg;

	download->done_bytes += size_bytes;
	progress_update(download->progress, download->done_bytes, 0);
	return download->sink(download->arg, data, size_bytes);
}

struct error *kernel_org_stream(struct http *http, const char *url,
				const char *digest, store_sink sink, void *arg)
{
	struct error *err;
	_cleanup_progress_ struct progress *progress = NULL;
	_cleanup_free_ char *what = NULL;
	struct download download = { .sink = sink, .arg = arg };
	const struct http_request request = { .url = url };

	if (asprintf(&what, "download %s", strrchr(url, '/') + 1) < 0) {
		what = NULL;
		return error_no_memory();
	}
	progress = progress_create(what, PROGRESS_BYTES);
	download.progress = progress;
	err = http_stream(http, &request, 0, digest, download_take, &download);
	if (!err)
		progress_finish(progress);
	return err;
}
