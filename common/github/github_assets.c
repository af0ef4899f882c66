// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_assets.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "common/github/github.h"
#include "common/github/github_seal.h"
#include "common/http/http.h"

enum {
	ASSETS_PER_PAGE = 100,
	/** More than the assets that there can be. */
	PAGES_MAX = 100,
	STARTER_LIFETIME_S = 24 * 3600,
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

/** @return ERROR_NOT_FOUND if an answer is to be recalled, and is not known. */
static struct error *get_page(const struct github *github, const char *url,
			      bool recall, struct http_request *request_ret,
			      struct http_response *ret)
{
	struct error *err;

	if (recall) {
		*request_ret = github_request(github, url);
		if (http_recall(github->http, request_ret, ret))
			return NULL;
		return error_create(ERROR_NOT_FOUND, "%s: not asked yet", url);
	}
	err = github_ask(github, url, request_ret, ret);
	if (!err && ret->status != 200)
		err = github_answer_error(github, request_ret, ret);
	return err;
}

static size_t count_assets(const struct github_assets *assets)
{
	return assets->uploaded.count + assets->starters.count;
}

/**
 * Read all pages.
 *
 * @param[in] recall From the cache, without asking.
 */
static struct error *read_pages(const struct github *github, bool recall,
				struct github_assets *assets)
{
	struct error *err;
	_cleanup_free_ char *url = NULL;

	err = assets_url(github, 1, &url);
	if (err)
		return err;
	for (unsigned int page = 1; page <= PAGES_MAX; page++) {
		_cleanup_http_response_ struct http_response response = { 0 };
		struct http_request request;
		size_t before = count_assets(assets);

		err = get_page(github, url, recall, &request, &response);
		if (err)
			return err;
		err = github_parse_assets(response.body,
					  response.body_size_bytes, assets);
		if (err) {
			http_forget(github->http, &request);
			return error_wrap(err, "%s", url);
		}
		free(take_ptr(url));
		url = take_ptr(response.next_url);
		if (url) {
			err = check_link(github, url);
		} else if (count_assets(assets) - before >= ASSETS_PER_PAGE) {
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

struct error *github_ask_assets(const struct github *github,
				struct github_assets *ret)
{
	struct error *err;
	_cleanup_github_assets_ struct github_assets assets = { 0 };

	err = read_pages(github, false, &assets);
	if (err)
		return err;
	*ret = assets;
	assets = (struct github_assets){ 0 };
	return NULL;
}

bool github_starter_is_alive(const struct asset *starter)
{
	return starter->created > (int64_t)time(NULL) - STARTER_LIFETIME_S;
}

/** What earlier answers say, if it is what was sealed. @return Whether it is. */
static bool recall_assets(const struct github *github,
			  const struct github_seal *seal,
			  struct github_assets *ret)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_github_assets_ struct github_assets assets = { 0 };
	char digest[DIGEST_TEXT_SIZE] = "";

	err = read_pages(github, true, &assets);
	if (!err)
		err = github_seal_digest(&assets.uploaded, digest);
	// Whatever is wrong with them: they can be asked for.
	if (err || strcmp(digest, seal->assets) != 0)
		return false;
	*ret = assets;
	assets = (struct github_assets){ 0 };
	return true;
}

/** Ask, and seal what comes, if it is not just changing. */
static struct error *ask_and_seal(const struct github *github,
				  struct github_assets *ret,
				  struct github_seal *seal)
{
	struct error *err;

	err = github_ask_assets(github, ret);
	if (!err)
		err = github_seal_digest(&ret->uploaded, seal->assets);
	for (size_t i = 0; !err && i < ret->starters.count; i++) {
		if (github_starter_is_alive(&ret->starters.items[i]))
			*seal = (struct github_seal){ 0 };
	}
	return err;
}

/** Find the list that the seal is of. @return Whether it is at hand. */
static bool find_sealed(struct github *github, struct github_assets *ret,
			struct github_seal *seal)
{
	struct github_seal sealed;

	if (!github_seal_read(github->release.body, &sealed))
		return false;
	if (strcmp(seal->shown, sealed.assets) == 0) {
		ret->uploaded = github->release.shown;
		github->release.shown = (struct asset_list){ 0 };
	} else if (strcmp(seal->shown, sealed.shown) != 0 ||
		   !recall_assets(github, &sealed, ret)) {
		return false;
	}
	memcpy(seal->assets, sealed.assets, sizeof(seal->assets));
	return true;
}

struct error *github_list_assets(struct github *github, struct github_assets *ret,
				 struct github_seal *seal_ret)
{
	struct error *err;
	struct github_seal seal = { 0 };

	err = github_seal_digest(&github->release.shown, seal.shown);
	if (!err && !find_sealed(github, ret, &seal))
		err = ask_and_seal(github, ret, &seal);
	if (!err)
		*seal_ret = seal;
	return err;
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
