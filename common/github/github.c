// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/http/http.h"
#include "common/process/process.h"
#include "common/store/store_internal.h"

enum {
	/** Most that a page of a list may have. */
	PER_PAGE = 100,
};

static const struct {
	const char *name;
	bool once;
} methods[] = {
	[GITHUB_GET] = { NULL, false },
	[GITHUB_DELETE] = { "DELETE", false },
	[GITHUB_PATCH] = { "PATCH", false },
	[GITHUB_POST] = { "POST", false },
	[GITHUB_POST_ONCE] = { "POST", true },
};

/** What to do about an answer, with a token and without one. */
static const struct {
	long status;
	/** What the path begins with; NULL for any. */
	const char *path;
	/** Word in the answer that tells it from others; NULL for any. */
	const char *word;
	const char *with_token;
	const char *without_token;
} remedies[] = {
	{ 401, NULL, NULL, "the token is wrong, or has expired: make a new one",
	  "set GITHUB_TOKEN" },
	{ 403, NULL, "archived",
	  "nothing can be written to it: unarchive it, or use another repository",
	  "set GITHUB_TOKEN" },
	{ 403, "/issues", NULL,
	  "the token needs the permission 'issues: write' (in a workflow: 'permissions:')",
	  "set GITHUB_TOKEN" },
	{ 403, NULL, NULL,
	  "the token needs the permission 'contents: write' (in a workflow: 'permissions:')",
	  "set GITHUB_TOKEN" },
	{ 404, NULL, NULL,
	  "check the repository's name, and that the token may see and write it",
	  "check the repository's name; if it is private, set GITHUB_TOKEN" },
	{ 410, "/issues", NULL, "turn issues on in the repository's settings",
	  "turn issues on in the repository's settings" },
	{ 422, NULL, "immutable",
	  "an immutable GitHub release cannot be a store: use another tag, in a repository where immutable releases are off",
	  NULL },
	{ 422, NULL, "file_count", "prune it, or use another tag", NULL },
	{ 422, NULL, "rule violations",
	  "the repository's rules do not let the token make this tag: except it from them, or use another",
	  NULL },
};

struct error *github_token_read(char **ret)
{
	const char *name = "GITHUB_TOKEN", *value = getenv(name);

	*ret = NULL;
	if (!value || !*value) {
		name = "GH_TOKEN";
		value = getenv(name);
	}
	if (!value || !*value)
		return NULL;

	// Secrets are often pasted with a newline.
	size_t length = strlen(value);

	while (length && strchr(" \t\r\n", value[length - 1]))
		length--;
	for (size_t i = 0; i < length; i++) {
		if (value[i] <= ' ' || value[i] > '~')
			return error_create(ERROR_USAGE,
					    "%s holds characters that no token has",
					    name);
	}
	*ret = string_copy_n(value, length);
	return NULL;
}

void github_token_destroy(char *token)
{
	if (!token)
		return;
	explicit_bzero(token, strlen(token));
	free(token);
}

/** Characters that need no quoting in a URL. */
#define PLAIN                                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/** Whether text is of these characters and, in a URL, does not lead elsewhere. */
static bool is_plain(const char *text, const char *characters)
{
	return *text && *text != '.' && *text != '/' && !strstr(text, "..") &&
	       !text[strspn(text, characters)];
}

static struct error *parse_location(const char *location, struct github *github)
{
	const char *at = strchr(location, '@');
	const char *slash = strchr(location, '/');

	if (at && slash && slash < at) {
		github->repository =
			string_copy_n(location, (size_t)(at - location));
		github->tag = string_copy(at + 1);
		slash = strchr(github->repository, '/') + 1;
		if (is_plain(github->repository, PLAIN "/") &&
		    is_plain(slash, PLAIN) && is_plain(github->tag, PLAIN "/+"))
			return NULL;
	}
	return error_create(
		ERROR_USAGE,
		"it is written github:OWNER/REPO@TAG, in letters, digits and '-_.'");
}

static struct error *read_api_url(struct github *github)
{
	const char *url = getenv("GITHUB_API_URL");

	if (!url || !*url)
		url = "https://api.github.com";
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		return error_create(ERROR_USAGE,
				    "GITHUB_API_URL is not an http or https URL");

	size_t length = strlen(url);

	while (url[length - 1] == '/')
		length--;
	github->api_url = string_copy_n(url, length);
	return NULL;
}

struct error *github_init(struct github *github, const char *location,
			  struct http *http)
{
	struct error *err;
	_cleanup_github_ struct github made = { .http = http };

	err = parse_location(location, &made);
	if (err)
		return err;
	err = read_api_url(&made);
	if (err)
		return err;
	err = github_token_read(&made.token);
	if (err)
		return err;
	*github = take(made);
	return NULL;
}

void github_deinit(struct github *github)
{
	github_release_deinit(&github->release);
	free(github->api_url);
	free(github->repository);
	free(github->tag);
	github_token_destroy(github->token);
	*github = (struct github){ 0 };
}

static struct error *require_token(const struct github *github, const char *path)
{
	if (github->token)
		return NULL;
	return error_create(
		ERROR_USAGE,
		"writing to GitHub needs a token; set GITHUB_TOKEN to one with the permission '%s: write'",
		strncmp(path, "/issues", 7) == 0 ? "issues" : "contents");
}

struct error *github_require_token(const struct github *github)
{
	return require_token(github, "/releases");
}

struct error *github_answer_error(const struct github *github, const char *path,
				  const struct http_request *request,
				  const struct http_response *response)
{
	_cleanup_error_ struct error *err =
		http_response_error(request, response);
	const char *remedy = NULL;
	enum error_kind kind = ERROR_OTHER;

	for (size_t i = 0; !remedy && i < array_size(remedies); i++) {
		const char *area = remedies[i].path, *word = remedies[i].word;

		if (remedies[i].status == response->status &&
		    (!area || strncmp(path, area, strlen(area)) == 0) &&
		    (!word || strcasestr(response->body, word)))
			remedy = github->token ? remedies[i].with_token
					       : remedies[i].without_token;
	}
	if (error_is(err, ERROR_NOT_FOUND))
		kind = ERROR_NOT_FOUND;
	else if (github_error_has_code(response->body, response->body_size_bytes,
				       "already_exists"))
		kind = ERROR_EXISTS;
	else if (!remedy)
		return take(err);
	return error_create(kind, "%s%s%s", error_message(err),
			    remedy ? "; " : "", remedy ? remedy : "");
}

struct error *github_call(const struct github *github,
			  enum github_method method, json_t *body,
			  struct value *ret, const char *format, ...)
{
	struct error *err;
	_cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	va_list ap;

	json_decref(body);
	va_start(ap, format);
	_cleanup_free_ char *path = string_vformat(format, ap);
	va_end(ap);
	_cleanup_free_ char *url = string_format("%s/repos/%s%s", github->api_url,
						 github->repository, path);
	const char *const headers[] = {
		GITHUB_ACCEPT_JSON,
		GITHUB_API_VERSION,
		text ? "Content-Type: application/json" : NULL,
		NULL,
	};
	const struct http_request request = {
		.method = methods[method].name,
		.url = url,
		.headers = headers,
		.token = github->token,
		.body = text,
		.body_size_bytes = text ? strlen(text) : 0,
		.no_retry = methods[method].once,
	};
	_cleanup_http_response_ struct http_response response = { 0 };

	if (method != GITHUB_GET) {
		err = require_token(github, path);
		if (err)
			return err;
	}
	if (!text && method >= GITHUB_PATCH)
		return error_create(ERROR_OTHER, "the text is not UTF-8");
	err = http_perform(github->http, &request, &response);
	if (err)
		return err;
	if (response.status < 200 || response.status > 299)
		return github_answer_error(github, path, &request, &response);
	if (!ret)
		return NULL;
	return github_parse(response.body, response.body_size_bytes, ret);
}

struct error *github_list(const struct github *github, unsigned int pages_max,
			  value_reader *read, size_t size_bytes, void *vector,
			  const char *format, ...)
{
	struct error *err = NULL;
	size_t count = PER_PAGE;
	va_list ap;

	va_start(ap, format);
	_cleanup_free_ char *path = string_vformat(format, ap);
	va_end(ap);
	for (unsigned int page = 1;
	     !err && count >= PER_PAGE && page <= pages_max; page++) {
		_cleanup_value_ struct value answer = { 0 };

		err = github_call(github, GITHUB_GET, NULL, &answer,
				  "%sper_page=%d&page=%u", path, PER_PAGE, page);
		if (!err)
			err = value_items(&answer, read, size_bytes, vector);
		count = json_array_size(answer.json);
	}
	return err;
}

static struct error *set_release(struct github *github, const struct value *answer)
{
	struct error *err;
	struct github_release release;

	err = github_read_release(answer, &release);
	if (err)
		return error_wrap(err, "the GitHub release %s", github->tag);
	github_release_deinit(&github->release);
	github->release = release;
	return NULL;
}

/** Ask for the release by its tag. If it does not show, its id is 0 afterwards. */
static struct error *ask_for_release(struct github *github)
{
	struct error *err;
	_cleanup_value_ struct value answer = { 0 };

	github_release_deinit(&github->release);
	err = github_call(github, GITHUB_GET, NULL, &answer,
			  "/releases/tags/%s", github->tag);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;
	return set_release(github, &answer);
}

struct error *github_find_release(struct github *github)
{
	struct error *err;

	err = ask_for_release(github);
	if (err || github->release.id)
		return err;
	// GitHub also says 404 of a repository that is not there.
	return github_call(github, GITHUB_GET, NULL, NULL,
			   "/releases?per_page=1");
}

/** What was made may be missing from what GitHub shows, for some seconds. */
static struct error *await_release(struct github *github)
{
	struct error *err;
	uint64_t end_ms = monotonic_ms() + http_limits(github->http)->retry_ms;

	for (unsigned int waits = 0;; waits++) {
		uint64_t wait_ms = backoff_ms(&backoff_failure, waits);

		err = ask_for_release(github);
		if (err || github->release.id)
			return err;
		if (monotonic_ms() + wait_ms > end_ms)
			return error_create(ERROR_RETRY,
					    "the GitHub release %s was made, but GitHub does not show it yet; try again later",
					    github->tag);
		err = interrupt_sleep(wait_ms);
		if (err)
			return err;
	}
}

/**
 * Two who make a release at once may both succeed, and then there are two of one
 * tag. The older stays; whoever made the other one deletes it, and uses that.
 */
static struct error *settle_release(struct github *github)
{
	struct error *err;
	uint64_t made = github->release.id;

	err = await_release(github);
	if (err || github->release.id >= made)
		return err;
	log_debug("%s: somebody else has just made it, too", github->tag);
	err = github_call(github, GITHUB_DELETE, NULL, NULL,
			  "/releases/%" PRIu64, made);
	error_catch(&err, ERROR_NOT_FOUND);
	return err;
}

struct error *github_create_release(struct github *github, const char *markdown)
{
	struct error *err;
	_cleanup_value_ struct value answer = { 0 };
	// Never the latest: that is for what people release.
	json_t *json = json_pack("{s:s, s:s, s:s, s:b, s:s}", "tag_name",
				 github->tag, "name", github->tag, "body",
				 markdown, "prerelease", 1, "make_latest",
				 "false");

	err = github_call(github, GITHUB_POST, json, &answer, "/releases");
	// Somebody else was faster, or it was us and the answer got lost.
	if (error_catch(&err, ERROR_EXISTS))
		return await_release(github);
	if (err)
		return err;
	err = set_release(github, &answer);
	if (err)
		return err;
	return settle_release(github);
}

struct error *github_require_release(struct github *github)
{
	struct error *err;

	err = github_find_release(github);
	if (err)
		return err;
	if (!github->release.id) {
		err = github_create_release(github, "");
		if (err)
			return err;
	}
	if (!github->release.immutable)
		return NULL;
	return error_create(
		ERROR_OTHER,
		"the GitHub release is immutable; use another tag, in a repository where immutable releases are off");
}

struct error *github_update_release(struct github *github, const char *markdown)
{
	struct error *err;
	_cleanup_value_ struct value answer = { 0 };

	err = github_call(github, GITHUB_PATCH,
			  json_pack("{s:s}", "body", markdown), &answer,
			  "/releases/%" PRIu64, github->release.id);
	if (err)
		return err;
	return set_release(github, &answer);
}

struct error *github_list_assets(const struct github *github,
				 struct asset_list *ret)
{
	struct error *err;

	_cleanup_asset_list_ struct asset_list list = { 0 };
	// Twice what there can be is enough.
	err = github_list(github, 2 * GITHUB_ASSETS_MAX / PER_PAGE,
			  github_read_asset, sizeof(*list.items), &list,
			  "/releases/%" PRIu64 "/assets?", github->release.id);
	if (err)
		return error_wrap(err, "the assets of %s", github->tag);
	*ret = take(list);
	return NULL;
}

struct stream *github_open(const struct github *github, const struct asset *asset)
{
	static const char *const headers[] = {
		"Accept: application/octet-stream",
		GITHUB_API_VERSION,
		NULL,
	};
	_cleanup_free_ char *url =
		string_format("%s/repos/%s/releases/assets/%" PRIu64,
			      github->api_url, github->repository, asset->id);
	// Without a token the API would soon meet its limit; the other has none.
	const struct http_request request = {
		.url = github->token ? url : asset->url,
		.headers = github->token ? headers : NULL,
		.token = github->token,
	};

	return http_open(github->http, &request, asset->size_bytes,
			 asset->digest);
}

struct error *github_delete_asset(const struct github *github, uint64_t id)
{
	struct error *err;

	err = github_call(github, GITHUB_DELETE, NULL, NULL,
			  "/releases/assets/%" PRIu64, id);
	error_catch(&err, ERROR_NOT_FOUND);
	return err;
}
