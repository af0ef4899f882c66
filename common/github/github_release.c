// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/http/http.h"

void github_release_deinit(struct github_release *release)
{
	free(release->upload_url);
	asset_list_deinit(&release->assets);
	*release = (struct github_release){ 0 };
}

static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

/** A string on one line, borrowed. What it is instead is not repeated. */
static struct error *read_line(const struct value *value, void *ret)
{
	const char *text = json_string_value(value->json);

	if (!text)
		return value_error(value, "expected a string");
	if (!is_printable(text))
		return value_error(value, "it holds control characters");
	*(const char **)ret = text;
	return NULL;
}

static struct error *read_url(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = read_line(value, &text);
	if (err)
		return err;
	if (!http_is_url(text))
		return value_error(value, "expected an http or https URL");
	*(char **)ret = string_copy(text);
	return NULL;
}

static struct error *read_file_name(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = read_line(value, &text);
	if (err)
		return err;
	if (!*text || strchr(text, '/'))
		return value_error(value, "expected the name of a file");
	*(char **)ret = string_copy(text);
	return NULL;
}

/** null for assets that are older than mid-2025. */
static struct error *read_digest(const struct value *value, void *ret)
{
	static const char prefix[] = "sha256:";
	struct error *err;
	const char *text;

	err = value_string(value, &text);
	if (err)
		return err;
	// Another algorithm is as good as none.
	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return NULL;
	text += strlen(prefix);
	if (!digest_is_valid(text))
		return value_error(value, "expected one of SHA-256");
	strcpy(ret, text);
	return NULL;
}

static struct error *read_time(const struct value *value, void *ret)
{
	const char *text = json_string_value(value->json);
	struct tm tm = { 0 };
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;

	if (!end || *end)
		return value_error(value, "expected a time");
	*(int64_t *)ret = timegm(&tm);
	return NULL;
}

/** It is for people: one that cannot be shown is as good as none. */
static struct error *read_label(const struct value *value, void *ret)
{
	const char *text = json_string_value(value->json);

	if (text && *text && is_printable(text))
		*(char **)ret = string_copy(text);
	return NULL;
}

static struct error *read_state(const struct value *value, void *ret)
{
	const char *text = json_string_value(value->json);

	if (!text)
		return value_error(value, "expected a string");
	*(bool *)ret = strcmp(text, "uploaded") != 0;
	return NULL;
}

static const struct value_row asset_rows[] = {
	VALUE_REQUIRED("name", read_file_name, struct asset, name),
	VALUE_REQUIRED("browser_download_url", read_url, struct asset, url),
	VALUE_NUMBER("id", 0, INT64_MAX, struct asset, id),
	VALUE_NUMBER("size", 0, INT64_MAX, struct asset, size_bytes),
	VALUE_REQUIRED("created_at", read_time, struct asset, created),
	VALUE_OPTIONAL("digest", read_digest, struct asset, digest),
	VALUE_OPTIONAL("label", read_label, struct asset, label),
	VALUE_REQUIRED("state", read_state, struct asset, is_partial),
};

struct error *github_read_asset(const struct value *value, void *ret)
{
	return value_read(value, asset_rows, array_size(asset_rows), ret);
}

static const struct value_row release_rows[] = {
	VALUE_NUMBER("id", 0, INT64_MAX, struct github_release, id),
	VALUE_REQUIRED("upload_url", read_url, struct github_release, upload_url),
	// Servers of before 2025 do not say.
	VALUE_OPTIONAL("immutable", value_flag, struct github_release, immutable),
	VALUE_ITEMS("assets", github_read_asset, struct github_release,
		    assets.items),
};

struct error *github_read_release(const struct value *value,
				  struct github_release *ret)
{
	struct error *err;

	_cleanup_github_release_ struct github_release release = { 0 };
	err = value_read(value, release_rows, array_size(release_rows), &release);
	if (err)
		return err;
	// It ends in a URI template (RFC 6570): {?name,label}
	release.upload_url[strcspn(release.upload_url, "{")] = '\0';
	*ret = take(release);
	return NULL;
}

static struct error *set_release(struct github *github, const struct value *answer)
{
	github_release_deinit(&github->release);
	return error_wrap(github_read_release(answer, &github->release),
			  "the GitHub release %s", github->tag);
}

/** Ask for the release by its tag. If it does not show, its id is 0 afterwards. */
static struct error *ask_for_release(struct github *github)
{
	struct error *err;

	github_release_deinit(&github->release);
	_cleanup_value_ struct value answer = { 0 };
	err = github_call(github, GITHUB_GET, NULL, &answer,
			  "/releases/tags/%s", github->tag);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	return err ? err : set_release(github, &answer);
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
	return err ? err : settle_release(github);
}

struct error *github_require_release(struct github *github)
{
	struct error *err;

	err = github_find_release(github);
	if (err)
		return err;
	if (!github->release.id)
		err = github_create_release(github, "");
	if (err || !github->release.immutable)
		return err;
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
	return err ? err : set_release(github, &answer);
}

struct error *github_list_assets(const struct github *github,
				 struct asset_list *ret)
{
	struct error *err;

	_cleanup_asset_list_ struct asset_list list = { 0 };
	// Twice what there can be is enough.
	err = github_list(github, 2 * GITHUB_ASSETS_MAX / GITHUB_PER_PAGE,
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
