// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_assets.h"

#include <inttypes.h>

#include "common/base/error.h"
#include "common/github/github.h"
#include "common/http/http.h"

enum {
	ASSETS_PER_PAGE = 100,
	/** Twice what there can be. */
	PAGES_MAX = 2 * GITHUB_ASSETS_MAX / ASSETS_PER_PAGE,
};

static const char *const download_headers[] = {
	"Accept: application/octet-stream",
	GITHUB_API_VERSION,
	NULL,
};

/** @param[in,out] assets To which the page is added. */
static struct error *read_page(const struct github *github, unsigned int page,
			       struct github_assets *assets)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request;

	err = github_releases_url(github, &url,
				  "/%" PRIu64 "/assets?per_page=%d&page=%u",
				  github->release.id, ASSETS_PER_PAGE, page);
	if (!err)
		err = github_ask(github, url, &request, &response);
	if (err)
		return err;
	if (response.status != 200)
		return github_answer_error(github, &request, &response);
	return error_wrap(github_parse_assets(response.body,
					      response.body_size_bytes, assets),
			  "%s", url);
}

struct error *github_list_assets(const struct github *github,
				 struct github_assets *ret)
{
	struct error *err;
	_cleanup_github_assets_ struct github_assets assets = { 0 };
	size_t before, count = 0;

	for (unsigned int page = 1; page <= PAGES_MAX; page++) {
		before = count;
		err = read_page(github, page, &assets);
		if (err)
			return err;
		count = assets.uploaded.count + assets.starters.count;
		if (count - before < ASSETS_PER_PAGE)
			break;
	}
	*ret = take(assets);
	return NULL;
}

struct error *github_get(const struct github *github, const struct asset *asset,
			 file_sink sink, void *arg)
{
	struct error *err;
	_cleanup_free_ char *url = NULL;
	struct http_request request = {
		.headers = download_headers,
		.token = github->token,
	};

	// Without a token the API would soon meet its limit; this has none.
	if (!github->token) {
		request.url = asset->url;
		request.headers = NULL;
	} else {
		err = github_releases_url(github, &url, "/assets/%" PRIu64,
					  asset->id);
		if (err)
			return err;
		request.url = url;
	}
	return http_stream(github->http, &request, asset->size_bytes,
			   asset->digest, sink, arg);
}

struct error *github_delete_asset(const struct github *github, uint64_t id)
{
	struct error *err;
	_cleanup_free_ char *url = NULL;

	err = github_releases_url(github, &url, "/assets/%" PRIu64, id);
	if (err)
		return err;
	return github_delete(github, url);
}
