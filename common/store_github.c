// SPDX-License-Identifier: LGPL-2.1-or-later

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "common/error.h"
#include "common/github_json.h"
#include "common/http.h"
#include "common/interrupt.h"
#include "common/log.h"
#include "common/store_internal.h"

enum {
	ASSETS_PER_RELEASE_MAX = 1000,
	ASSETS_PER_PAGE = 100,
	/** More than the assets that there can be. */
	PAGES_MAX = 100,
	UPLOADS_MAX = 5,
	UPLOAD_BACKOFF_MS = 500,
	/** A list of a hundred assets is 200 KB. */
	ANSWER_BYTES_MAX = 16 << 20,
};

static const uint64_t asset_bytes_max = (UINT64_C(2) << 30) - 1;

#define ACCEPT_JSON "Accept: application/vnd.github+json"
#define API_VERSION "X-GitHub-Api-Version: 2022-11-28"

static const char *const json_headers[] = { ACCEPT_JSON, API_VERSION, NULL };
static const char *const json_body_headers[] = {
	ACCEPT_JSON,
	API_VERSION,
	"Content-Type: application/json",
	NULL,
};
static const char *const upload_headers[] = {
	ACCEPT_JSON,
	API_VERSION,
	"Content-Type: application/octet-stream",
	NULL,
};
static const char *const download_headers[] = {
	"Accept: application/octet-stream",
	API_VERSION,
	NULL,
};

/** What to do about an answer, with a token and without one. */
static const struct {
	long status;
	/** Word in the answer that tells it from others; NULL for any. */
	const char *word;
	const char *with_token;
	const char *without_token;
} remedies[] = {
	{ 401, NULL, "the token is not valid here: make a new one",
	  "set GITHUB_TOKEN" },
	{ 403, NULL,
	  "the token needs the permission 'contents: write' (in a workflow: 'permissions:')",
	  "set GITHUB_TOKEN" },
	{ 404, NULL,
	  "check the repository's name, and that the token may see and write it",
	  "check the repository's name; if it is private, set GITHUB_TOKEN" },
	{ 422, "immutable",
	  "an immutable GitHub release cannot be a store: use another tag, in a repository where immutable releases are off",
	  NULL },
};

/** A store that is a GitHub release. */
struct store_github {
	struct store store;
	struct http *http;
	/** Without a final slash. */
	char *api_url;
	/** `OWNER/REPO` */
	char *repository;
	char *tag;
	/** NULL if there is none. */
	char *token;
	/** The release as it was last seen; id 0 if it has not been. */
	struct github_release release;
};

static struct store_github *store_github(struct store *store)
{
	return (struct store_github *)store;
}

static void store_github_destroy(struct store *store)
{
	struct store_github *github = store_github(store);

	github_release_deinit(&github->release);
	free(github->api_url);
	free(github->repository);
	free(github->tag);
	free(github->token);
	free(github);
}

/** Characters that need no quoting in a URL, and do not lead elsewhere. */
static bool is_plain(const char *text, const char *also)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.";

	if (!*text || *text == '.' || *text == '/' || strstr(text, ".."))
		return false;
	for (; *text; text++) {
		if (!strchr(plain, *text) && !strchr(also, *text))
			return false;
	}
	return true;
}

static struct error *parse_location(const char *location,
				    struct store_github *github)
{
	const char *at = strchr(location, '@');
	const char *slash = strchr(location, '/');

	if (at && slash && slash < at) {
		github->repository = strndup(location, (size_t)(at - location));
		github->tag = strdup(at + 1);
		if (!github->repository || !github->tag)
			return error_no_memory();
		slash = strchr(github->repository, '/') + 1;
		if (is_plain(github->repository, "/") && is_plain(slash, "") &&
		    is_plain(github->tag, "/+"))
			return NULL;
	}
	return error_create(
		ERROR_USAGE,
		"it is written github:OWNER/REPO@TAG, in letters, digits and '-_.'");
}

static struct error *read_environment(struct store_github *github)
{
	const char *url = getenv("GITHUB_API_URL");
	const char *token = getenv("GITHUB_TOKEN");
	size_t length;

	if (!url || !*url)
		url = "https://api.github.com";
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) {
		return error_create(ERROR_USAGE,
				    "GITHUB_API_URL is not an http or https URL");
	}
	length = strlen(url);
	while (url[length - 1] == '/')
		length--;
	github->api_url = strndup(url, length);
	if (!token || !*token)
		token = getenv("GH_TOKEN");
	if (!github->api_url)
		return error_no_memory();
	if (!token || !*token)
		return NULL;
	// Secrets are often pasted with a newline.
	length = strlen(token);
	while (length && strchr(" \t\r\n", token[length - 1]))
		length--;
	github->token = strndup(token, length);
	if (!github->token)
		return error_no_memory();
	for (const char *p = github->token; *p; p++) {
		if (*p <= ' ' || *p > '~') {
			return error_create(
				ERROR_USAGE,
				"GITHUB_TOKEN or GH_TOKEN holds characters that no token has");
		}
	}
	return NULL;
}

static struct error *store_github_create(const char *location,
					 struct http *http, struct store **ret)
{
	struct error *err;
	struct store_github *github = calloc(1, sizeof(*github));

	if (!github)
		return error_no_memory();
	github->store.operations = &store_github_operations;
	github->http = http;
	err = parse_location(location, github);
	if (!err)
		err = read_environment(github);
	if (err) {
		store_github_destroy(&github->store);
		return err;
	}
	*ret = &github->store;
	return NULL;
}

/** A URL below /repos/OWNER/REPO/releases; the rest is already plain. */
_printf_(3,
	 4) static struct error *releases_url(const struct store_github *github,
					      char **ret, const char *format, ...)
{
	_cleanup_free_ char *rest = NULL;
	va_list ap;
	int length;

	va_start(ap, format);
	length = vasprintf(&rest, format, ap);
	va_end(ap);
	if (length < 0) {
		rest = NULL;
		return error_no_memory();
	}
	if (asprintf(ret, "%s/repos/%s/releases%s", github->api_url,
		     github->repository, rest) < 0) {
		*ret = NULL;
		return error_no_memory();
	}
	return NULL;
}

/** What an answer says, and what to do about it. */
static struct error *answer_error(const struct store_github *github,
				  const struct http_request *request,
				  const struct http_response *response)
{
	_cleanup_error_ struct error *err =
		http_response_error(request, response);
	const char *remedy = NULL;
	enum error_kind kind = ERROR_OTHER;

	for (size_t i = 0; !remedy && i < array_size(remedies); i++) {
		if (remedies[i].status == response->status &&
		    (!remedies[i].word ||
		     strcasestr(response->body, remedies[i].word))) {
			remedy = github->token ? remedies[i].with_token
					       : remedies[i].without_token;
		}
	}
	if (!remedy)
		return take_ptr(err);
	if (error_is(err, ERROR_NOT_FOUND))
		kind = ERROR_NOT_FOUND;
	return error_create(kind, "%s; %s", error_message(err), remedy);
}

static struct error *require_token(const struct store_github *github)
{
	if (github->token)
		return NULL;
	return error_create(
		ERROR_USAGE,
		"writing to GitHub needs a token; set GITHUB_TOKEN to one with the permission 'contents: write'");
}

/** GET from the API, through the cache. */
static struct error *ask(const struct store_github *github, const char *url,
			 struct http_request *request_ret,
			 struct http_response *ret)
{
	*request_ret = (struct http_request){
		.url = url,
		.headers = json_headers,
		.token = github->token,
		.use_cache = true,
		.limit_bytes = ANSWER_BYTES_MAX,
	};
	return http_perform(github->http, request_ret, ret);
}

static struct error *set_release(struct store_github *github,
				 const struct http_response *response)
{
	struct error *err;
	struct github_release release;

	err = github_parse_release(response->body, response->body_size_bytes,
				   &release);
	if (err)
		return err;
	github_release_deinit(&github->release);
	github->release = release;
	return NULL;
}

/**
 * Tell a repository without the release from one that is not there: GitHub says
 * 404 to both.
 */
static struct error *check_repository(const struct store_github *github)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request;

	err = releases_url(github, &url, "?per_page=1");
	if (!err)
		err = ask(github, url, &request, &response);
	if (err)
		return err;
	if (response.status != 200)
		return answer_error(github, &request, &response);
	return NULL;
}

/** Look the release up. If there is none, its id is 0 afterwards. */
static struct error *find_release(struct store_github *github)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request;

	github_release_deinit(&github->release);
	err = releases_url(github, &url, "/tags/%s", github->tag);
	if (!err)
		err = ask(github, url, &request, &response);
	if (err)
		return err;
	if (response.status == 404)
		return check_repository(github);
	if (response.status != 200)
		return answer_error(github, &request, &response);
	err = set_release(github, &response);
	if (err)
		http_forget(github->http, &request);
	return error_wrap(err, "%s", url);
}

/** Send JSON about the release, and keep what GitHub then says of it. */
static struct error *send_release(struct store_github *github,
				  const char *method, const char *url,
				  json_t *json, struct http_response *ret,
				  struct http_request *request_ret)
{
	struct error *err;
	_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	if (!text)
		return error_no_memory();
	*request_ret = (struct http_request){
		.method = method,
		.url = url,
		.headers = json_body_headers,
		.token = github->token,
		.body = text,
		.body_size_bytes = strlen(text),
	};
	err = http_perform(github->http, request_ret, ret);
	request_ret->body = NULL;
	if (!err && (ret->status == 200 || ret->status == 201))
		err = error_wrap(set_release(github, ret), "%s", url);
	return err;
}

static struct error *create_release(struct store_github *github,
				    const char *markdown)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request;
	json_t *json;

	err = releases_url(github, &url, "%s", "");
	if (err)
		return err;
	// Never the latest: that is for what people release.
	json = json_pack("{s:s, s:s, s:s, s:b, s:s}", "tag_name", github->tag,
			 "name", github->tag, "body", markdown, "prerelease", 1,
			 "make_latest", "false");
	if (!json)
		return error_create(ERROR_OTHER, "the text is not UTF-8");
	err = send_release(github, "POST", url, json, &response, &request);
	if (err || response.status == 201)
		return err;
	// Somebody else was faster, or it was us and the answer got lost.
	if (response.status == 422 &&
	    github_error_has_code(response.body, response.body_size_bytes,
				  "already_exists")) {
		err = find_release(github);
		if (err || github->release.id)
			return err;
	}
	return answer_error(github, &request, &response);
}

/** The release, which is made if it is not there. */
static struct error *require_release(struct store_github *github)
{
	struct error *err;

	err = find_release(github);
	if (!err && !github->release.id)
		err = create_release(github, "");
	if (!err && github->release.immutable) {
		err = error_create(
			ERROR_OTHER,
			"the GitHub release is immutable; use another tag, in a repository where immutable releases are off");
	}
	return err;
}

/** The token goes where links lead, so they must not lead elsewhere. */
static struct error *check_link(const struct store_github *github, const char *url)
{
	size_t length = strlen(github->api_url);

	if (strncmp(url, github->api_url, length) == 0 && url[length] == '/')
		return NULL;
	return error_create(ERROR_OTHER,
			    "GitHub's list of assets goes on at another host than %s: refused",
			    github->api_url);
}

static struct error *assets_url(const struct store_github *github,
				unsigned int page, char **ret)
{
	return releases_url(github, ret,
			    "/%" PRIu64 "/assets?per_page=%d&page=%u",
			    github->release.id, ASSETS_PER_PAGE, page);
}

static struct error *list_assets(const struct store_github *github,
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

		err = ask(github, url, &request, &response);
		if (err)
			return err;
		if (response.status != 200)
			return answer_error(github, &request, &response);
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

static struct error *store_github_list(struct store *store, struct asset_list *ret)
{
	struct error *err;
	struct store_github *github = store_github(store);
	_cleanup_asset_list_ struct asset_list starters = { 0 };
	size_t count;

	err = find_release(github);
	if (err || !github->release.id)
		return err;
	return list_assets(github, ret, &starters, &count);
}

static struct error *store_github_get(struct store *store,
				      const struct asset *asset,
				      store_sink sink, void *arg)
{
	struct error *err;
	struct store_github *github = store_github(store);
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
		err = releases_url(github, &url, "/assets/%" PRIu64, asset->id);
		if (err)
			return err;
		request.url = url;
	}
	return http_stream(github->http, &request, asset->size_bytes,
			   asset->digest, sink, arg);
}

static struct error *delete_asset(const struct store_github *github, uint64_t id)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request = {
		.method = "DELETE",
		.headers = json_headers,
		.token = github->token,
	};

	err = releases_url(github, &url, "/assets/%" PRIu64, id);
	if (err)
		return err;
	request.url = url;
	err = http_perform(github->http, &request, &response);
	if (err || response.status == 204 || response.status == 404)
		return err;
	return answer_error(github, &request, &response);
}

static struct error *store_github_delete(struct store *store,
					 const struct asset *asset)
{
	struct error *err;
	struct store_github *github = store_github(store);

	err = require_token(github);
	if (err)
		return err;
	return delete_asset(github, asset->id);
}

/** What is to be put. */
struct upload {
	const char *path;
	const char *name;
	char digest[DIGEST_TEXT_SIZE];
	uint64_t size_bytes;
	store_progress progress;
	void *arg;
};

static struct error *drop(void *arg, const void *data, size_t size_bytes)
{
	(void)arg;
	(void)data;
	(void)size_bytes;
	return NULL;
}

/** Whether the asset that has the name is the file that we put. */
static struct error *compare_asset(struct store_github *github,
				   const struct upload *upload,
				   const struct asset *asset, bool *same_ret)
{
	_cleanup_error_ struct error *err = NULL;
	struct asset wanted = *asset;

	*same_ret = asset->size_bytes == upload->size_bytes;
	if (*asset->digest)
		*same_ret = strcmp(asset->digest, upload->digest) == 0;
	if (!*same_ret || *asset->digest)
		return NULL;
	// GitHub did not always keep digests: fetch the asset to know its.
	memcpy(wanted.digest, upload->digest, sizeof(wanted.digest));
	err = store_github_get(&github->store, &wanted, drop, NULL);
	if (err && (error_is(err, ERROR_RETRY) || error_is(err, ERROR_CANCELLED)))
		return take_ptr(err);
	*same_ret = !err;
	return NULL;
}

static struct error *exists_error(void)
{
	return error_create(
		ERROR_EXISTS,
		"an asset with this name and another digest is there; rebuild under a new name");
}

/**
 * Look at what the release holds under the name: nothing, the file, another
 * file, or what an upload that broke has left, which is deleted.
 */
static struct error *prepare_upload(struct store_github *github,
				    const struct upload *upload, bool *done_ret,
				    char **url_ret)
{
	struct error *err;
	_cleanup_asset_list_ struct asset_list uploaded = { 0 };
	_cleanup_asset_list_ struct asset_list starters = { 0 };
	const struct asset *asset;
	size_t count;

	err = list_assets(github, &uploaded, &starters, &count);
	if (err)
		return err;
	asset = asset_list_find(&uploaded, upload->name);
	*done_ret = false;
	if (asset) {
		err = compare_asset(github, upload, asset, done_ret);
		if (err)
			return err;
		if (!*done_ret)
			return exists_error();
		*url_ret = strdup(asset->url);
		return *url_ret ? NULL : error_no_memory();
	}
	asset = asset_list_find(&starters, upload->name);
	if (asset) {
		log_debug("%s: deleting what a broken upload has left",
			  upload->name);
		err = delete_asset(github, asset->id);
		if (err)
			return err;
		count--;
	}
	if (count >= ASSETS_PER_RELEASE_MAX) {
		return error_create(ERROR_OTHER,
				    "the GitHub release holds %d assets, which is GitHub's limit; prune it, or use another tag",
				    ASSETS_PER_RELEASE_MAX);
	}
	return NULL;
}

/** GitHub has accepted it: see that it is what we sent. */
static struct error *check_uploaded(const struct store_github *github,
				    const struct upload *upload,
				    const struct http_response *response,
				    char **url_ret)
{
	struct error *err;
	_cleanup_asset_ struct asset asset = { 0 };
	bool uploaded;

	err = github_parse_asset(response->body, response->body_size_bytes,
				 &asset, &uploaded);
	if (err)
		return err;
	if (strcmp(asset.name, upload->name) != 0) {
		return error_create(ERROR_OTHER, "GitHub has renamed the asset");
	}
	if (uploaded && asset.size_bytes == upload->size_bytes &&
	    (!*asset.digest || strcmp(asset.digest, upload->digest) == 0)) {
		*url_ret = take_ptr(asset.url);
		return NULL;
	}
	err = delete_asset(github, asset.id);
	if (err)
		return err;
	return error_create(ERROR_RETRY,
			    "GitHub received other bytes than we sent, or does %s change?",
			    upload->path);
}

/** @return ERROR_RETRY if it is worth to look and to try again. */
static struct error *upload_once(struct store_github *github,
				 const struct upload *upload, char **url_ret)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request = {
		.method = "POST",
		.headers = upload_headers,
		.token = github->token,
		.body_path = upload->path,
		.body_size_bytes = upload->size_bytes,
		.progress = upload->progress,
		.progress_arg = upload->arg,
		// What has become of it is for prepare_upload() to see.
		.no_retry = true,
	};

	if (asprintf(&url, "%s?name=%s", github->release.upload_url,
		     upload->name) < 0) {
		url = NULL;
		return error_no_memory();
	}
	request.url = url;
	err = http_perform(github->http, &request, &response);
	if (err)
		return err;
	if (response.status == 201)
		return check_uploaded(github, upload, &response, url_ret);
	if (response.status == 422 &&
	    github_error_has_code(response.body, response.body_size_bytes,
				  "already_exists")) {
		return error_create(ERROR_RETRY,
				    "an asset of this name came in between");
	}
	return answer_error(github, &request, &response);
}

static struct error *upload_file(struct store_github *github,
				 const struct upload *upload, char **url_ret)
{
	struct error *err;

	for (unsigned int failures = 0;; failures++) {
		bool done = false;

		err = prepare_upload(github, upload, &done, url_ret);
		if (err || done)
			return err;
		err = upload_once(github, upload, url_ret);
		if (!error_is(err, ERROR_RETRY) || failures + 1 == UPLOADS_MAX)
			return err;
		log_debug("%s; trying again", error_message(err));
		error_destroy(err);
		err = interrupt_sleep((uint64_t)UPLOAD_BACKOFF_MS << failures);
		if (err)
			return err;
	}
}

static struct error *store_github_put(struct store *store, const char *path,
				      const char *name, store_progress progress,
				      void *arg, char **url_ret)
{
	struct error *err;
	struct store_github *github = store_github(store);
	struct upload upload = {
		.path = path,
		.name = name,
		.progress = progress,
		.arg = arg,
	};

	err = require_token(github);
	if (!err)
		err = digest_file(path, upload.digest, &upload.size_bytes);
	if (err)
		return err;
	if (upload.size_bytes > asset_bytes_max) {
		return error_create(ERROR_OTHER,
				    "%" PRIu64
				    " bytes; GitHub takes less than 2 GiB",
				    upload.size_bytes);
	}
	if (!upload.size_bytes)
		return error_create(ERROR_OTHER, "the file is empty");
	err = require_release(github);
	if (!err)
		err = upload_file(github, &upload, url_ret);
	return err;
}

/** Equal but for how lines end, and for space at the end. */
static bool text_is_same(const char *a, const char *b)
{
	static const char space[] = " \t\r\n";

	for (;;) {
		while (*a == '\r')
			a++;
		while (*b == '\r')
			b++;
		if (!*a || *a != *b)
			break;
		a++;
		b++;
	}
	return !a[strspn(a, space)] && !b[strspn(b, space)];
}

static struct error *store_github_describe(struct store *store,
					   const char *markdown)
{
	struct error *err;
	struct store_github *github = store_github(store);
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request;
	json_t *json;

	if (!github->release.id) {
		err = find_release(github);
		if (err)
			return err;
	}
	if (github->release.id && text_is_same(github->release.body, markdown))
		return NULL;
	err = require_token(github);
	if (err)
		return err;
	if (!github->release.id)
		return create_release(github, markdown);
	err = releases_url(github, &url, "/%" PRIu64, github->release.id);
	if (err)
		return err;
	json = json_pack("{s:s}", "body", markdown);
	if (!json)
		return error_create(ERROR_OTHER, "the text is not UTF-8");
	err = send_release(github, "PATCH", url, json, &response, &request);
	if (err || response.status == 200)
		return err;
	return answer_error(github, &request, &response);
}

const struct store_operations store_github_operations = {
	.prefix = "github:",
	.form = "github:OWNER/REPO@TAG",
	.create = store_github_create,
	.destroy = store_github_destroy,
	.list = store_github_list,
	.get = store_github_get,
	.put = store_github_put,
	.delete = store_github_delete,
	.describe = store_github_describe,
};
