// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github_assets.h"

#include <inttypes.h>
#include <string.h>

#include "common/error.h"
#include "common/github.h"
#include "common/http.h"

enum {
	ASSETS_PER_PAGE = 100,
	/** More than the assets that there can be. */
	PAGES_MAX = 100,
};

static const char *const json_headers[] = {
	GITHUB_ACCEPT_JSON,
	GITHUB_API_VERSION,
	NULL,
};

static const char *const download_headers[] = {
	"Accept: application/octet-stream",
	GITHUB_API_VERSION,
	NULL,
};

/** The token goes where links lead, so they must not lead elsewhere. */
static struct error *check_link(const struct github *github, const char *url)
{
	size_t length = strlen(github->api_url);

	if (strncmp(url, github->api_url, length) == 0 && url[length] == '/')
		return NULL;
	return error_create(ERROR_OTHER,
			    "GitHub's list of assets goes on at another host than %s: refused",
			    github->api_url);
}

static struct error *assets_url(const struct github *github, unsigned int page,
				char **ret)
{
	return github_releases_url(github, ret,
				   "/%" PRIu64 "/assets?per_page=%d&page=%u",
				   github->release.id, ASSETS_PER_PAGE, page);
}

struct error *github_list_assets(const struct github *github,
				 struct asset_list *uploaded,
				 struct asset_list *starters, size_t *count_ret)
{
	struct error *err;
	_cleanup_free_ char *url = NULL;

	*count_ret = 0;
	err = assets_url(github, 1, &url);
	if (err)
		return err;
	for (unsigned int page = 1; page <= PAGES_MAX; page++) {
		_cleanup_http_response_ struct http_response response = { 0 };
		struct http_request request;
		size_t before = *count_ret;

		err = github_ask(github, url, &request, &response);
		if (err)
			return err;
		if (response.status != 200)
			return github_answer_error(github, &request, &response);
		err = github_parse_assets(response.body, response.body_size_bytes,
					  uploaded, starters, count_ret);
		if (err) {
			http_forget(github->http, &request);
			return error_wrap(err, "%s", url);
		}
		free(take_ptr(url));
		url = take_ptr(response.next_url);
		if (url) {
			err = check_link(github, url);
		} else if (*count_ret - before >= ASSETS_PER_PAGE) {
			// An ETag covers the body alone: a full page is the
			// same before and after another one follows it.
			err = assets_url(github, page + 1, &url);
		} else {
			return NULL;
		}
		if (err)
			return err;
	}
	return error_create(ERROR_OTHER,
			    "GitHub's list of assets has no end: gave up after %d pages",
			    PAGES_MAX);
}

struct error *github_get(const struct github *github, const struct asset *asset,
			 store_sink sink, void *arg)
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
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request = {
		.method = "DELETE",
		.headers = json_headers,
		.token = github->token,
	};

	err = github_releases_url(github, &url, "/assets/%" PRIu64, id);
	if (err)
		return err;
	request.url = url;
	err = http_perform(github->http, &request, &response);
	if (err || response.status == 204 || response.status == 404)
		return err;
	return github_answer_error(github, &request, &response);
}
