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
#include "common/github/github_token.h"
#include "common/http/backoff.h"
#include "common/process/process.h"
#include "common/store/store_internal.h"

enum {
	/** A release with a thousand assets is 2 MB. */
	ANSWER_BYTES_MAX = 16 << 20,
};

static const char *const json_headers[] = {
	GITHUB_ACCEPT_JSON,
	GITHUB_API_VERSION,
	NULL,
};
static const char *const json_body_headers[] = {
	GITHUB_ACCEPT_JSON,
	GITHUB_API_VERSION,
	"Content-Type: application/json",
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
	{ 401, NULL, "the token is wrong, or has expired: make a new one",
	  "set GITHUB_TOKEN" },
	{ 403, "archived",
	  "nothing can be written to it: unarchive it, or use another repository",
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
	{ 422, "file_count", "prune it, or use another tag", NULL },
	{ 422, "rule violations",
	  "the repository's rules do not let the token make this tag: except it from them, or use another",
	  NULL },
};

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

static struct error *parse_location(const char *location, struct github *github)
{
	const char *at = strchr(location, '@');
	const char *slash = strchr(location, '/');

	if (at && slash && slash < at) {
		github->repository = strndup(location, (size_t)(at - location));
		github->tag = strdup(at + 1);
		if (!github->repository || !github->tag)
			memory_exhausted();
		slash = strchr(github->repository, '/') + 1;
		if (is_plain(github->repository, "/") && is_plain(slash, "") &&
		    is_plain(github->tag, "/+"))
			return NULL;
	}
	return error_create(
		ERROR_USAGE,
		"it is written github:OWNER/REPO@TAG, in letters, digits and '-_.'");
}

static struct error *read_api_url(struct github *github)
{
	const char *url = getenv("GITHUB_API_URL");
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
	github->api_url = string_copy_n(url, length);
	return NULL;
}

struct error *github_init(struct github *github, const char *location,
			  struct http *http)
{
	struct error *err;

	*github = (struct github){ .http = http };
	err = parse_location(location, github);
	if (!err)
		err = read_api_url(github);
	if (!err)
		err = github_token_read(&github->token);
	if (err)
		github_deinit(github);
	return err;
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

struct error *github_releases_url(const struct github *github, char **ret,
				  const char *format, ...)
{
	_cleanup_free_ char *rest = NULL;
	va_list ap;
	int length;

	va_start(ap, format);
	length = vasprintf(&rest, format, ap);
	va_end(ap);
	if (length < 0) {
		rest = NULL;
		memory_exhausted();
	}
	*ret = string_format("%s/repos/%s/releases%s", github->api_url,
			     github->repository, rest);
	return NULL;
}

struct error *github_answer_error(const struct github *github,
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

struct error *github_require_token(const struct github *github)
{
	if (github->token)
		return NULL;
	return error_create(
		ERROR_USAGE,
		"writing to GitHub needs a token; set GITHUB_TOKEN to one with the permission 'contents: write'");
}

struct error *github_ask(const struct github *github, const char *url,
			 struct http_request *request_ret,
			 struct http_response *ret)
{
	*request_ret = (struct http_request){
		.url = url,
		.headers = json_headers,
		.token = github->token,
		.limit_bytes = ANSWER_BYTES_MAX,
	};
	return http_perform(github->http, request_ret, ret);
}

static struct error *set_release(struct github *github,
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
static struct error *check_repository(const struct github *github)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request;

	err = github_releases_url(github, &url, "?per_page=1");
	if (!err)
		err = github_ask(github, url, &request, &response);
	if (err)
		return err;
	if (response.status != 200)
		return github_answer_error(github, &request, &response);
	return NULL;
}

/** Ask for the release by its tag. If it does not show, its id is 0 afterwards. */
static struct error *ask_for_release(struct github *github)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request;

	github_release_deinit(&github->release);
	err = github_releases_url(github, &url, "/tags/%s", github->tag);
	if (!err)
		err = github_ask(github, url, &request, &response);
	if (err || response.status == 404)
		return err;
	if (response.status != 200)
		return github_answer_error(github, &request, &response);
	return error_wrap(set_release(github, &response), "%s", url);
}

struct error *github_find_release(struct github *github)
{
	struct error *err;

	err = ask_for_release(github);
	if (err || github->release.id)
		return err;
	return check_repository(github);
}

/** What was made may be missing from what GitHub shows, for some seconds. */
static struct error *await_release(struct github *github)
{
	struct error *err;
	uint64_t end_ms = monotonic_ms() + http_retry_limit_ms(github->http);

	for (unsigned int waits = 0;; waits++) {
		uint64_t wait_ms = backoff_ms(&backoff_failure, waits);

		err = ask_for_release(github);
		if (err || github->release.id)
			return err;
		if (monotonic_ms() + wait_ms > end_ms) {
			return error_create(ERROR_RETRY,
					    "the GitHub release %s was made, but GitHub does not show it yet; try again later",
					    github->tag);
		}
		err = interrupt_sleep(wait_ms);
		if (err)
			return err;
	}
}

/** Send JSON about the release, and keep what GitHub then says of it. */
static struct error *send_release(struct github *github, const char *method,
				  const char *url, json_t *json,
				  struct http_response *ret,
				  struct http_request *request_ret)
{
	struct error *err;
	_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	if (!text)
		memory_exhausted();
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

struct error *github_delete(const struct github *github, const char *url)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	const struct http_request request = {
		.method = "DELETE",
		.url = url,
		.headers = json_headers,
		.token = github->token,
	};

	err = http_perform(github->http, &request, &response);
	if (err || response.status == 204 || response.status == 404)
		return err;
	return github_answer_error(github, &request, &response);
}

/**
 * Two who make a release at once may both succeed, and then there are two of one
 * tag. The older stays; whoever made the other one deletes it, and uses that.
 */
static struct error *settle_release(struct github *github)
{
	struct error *err;
	uint64_t made = github->release.id;
	_cleanup_free_ char *url = NULL;

	err = await_release(github);
	if (err || github->release.id >= made)
		return err;
	log_debug("%s: somebody else has just made it, too", github->tag);
	err = github_releases_url(github, &url, "/%" PRIu64, made);
	if (err)
		return err;
	return github_delete(github, url);
}

struct error *github_create_release(struct github *github, const char *markdown)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request;
	json_t *json;

	err = github_releases_url(github, &url, "%s", "");
	if (err)
		return err;
	// Never the latest: that is for what people release.
	json = json_pack("{s:s, s:s, s:s, s:b, s:s}", "tag_name", github->tag,
			 "name", github->tag, "body", markdown, "prerelease", 1,
			 "make_latest", "false");
	if (!json)
		return error_create(ERROR_OTHER, "the text is not UTF-8");
	err = send_release(github, "POST", url, json, &response, &request);
	if (err)
		return err;
	if (response.status == 201)
		return settle_release(github);
	// Somebody else was faster, or it was us and the answer got lost.
	if (response.status == 422 &&
	    github_error_has_code(response.body, response.body_size_bytes,
				  "already_exists"))
		return await_release(github);
	return github_answer_error(github, &request, &response);
}

struct error *github_check_mutable(const struct github *github)
{
	if (!github->release.immutable)
		return NULL;
	return error_create(
		ERROR_OTHER,
		"the GitHub release is immutable; use another tag, in a repository where immutable releases are off");
}

struct error *github_require_release(struct github *github)
{
	struct error *err;

	err = github_find_release(github);
	if (!err && !github->release.id)
		err = github_create_release(github, "");
	if (!err)
		err = github_check_mutable(github);
	return err;
}

struct error *github_update_release(struct github *github, const char *markdown)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request;
	json_t *json;

	err = github_releases_url(github, &url, "/%" PRIu64, github->release.id);
	if (err)
		return err;
	json = json_pack("{s:s}", "body", markdown);
	if (!json)
		return error_create(ERROR_OTHER, "the text is not UTF-8");
	err = send_release(github, "PATCH", url, json, &response, &request);
	if (err || response.status == 200)
		return err;
	return github_answer_error(github, &request, &response);
}
