// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/store/store_github.h"

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
	free(release->body);
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

struct error *github_asset_read(const struct value *value, void *ret)
{
	return value_read(value, asset_rows, array_size(asset_rows), ret);
}

static const struct value_row release_rows[] = {
	VALUE_NUMBER("id", 0, INT64_MAX, struct github_release, id),
	VALUE_REQUIRED("upload_url", read_url, struct github_release, upload_url),
	VALUE_OPTIONAL("body", value_copy, struct github_release, body),
	// Servers of before 2025 do not say.
	VALUE_OPTIONAL("immutable", value_flag, struct github_release, immutable),
	VALUE_ITEMS("assets", github_asset_read, struct github_release,
		    assets.items),
};

struct error *github_release_read(const struct value *value,
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

static struct error *set_release(struct store_github *store,
				 const struct value *answer)
{
	github_release_deinit(&store->release);
	return error_wrap(github_release_read(answer, &store->release),
			  "the GitHub release %s", store->tag);
}

/** Ask for the release by its tag. If it does not show, its id is 0 afterwards. */
static struct error *ask_for_release(struct store_github *store)
{
	struct error *err;

	github_release_deinit(&store->release);
	_cleanup_value_ struct value answer = { 0 };
	err = github_call(&store->github, GITHUB_GET, NULL, &answer,
			  "/releases/tags/%s", store->tag);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	return err ? err : set_release(store, &answer);
}

static struct error *find_release(struct store_github *store)
{
	struct error *err;

	err = ask_for_release(store);
	if (err || store->release.id)
		return err;
	// GitHub also says 404 of a repository that is not there.
	return github_call(&store->github, GITHUB_GET, NULL, NULL,
			   "/releases?per_page=1");
}

/** What was made may be missing from what GitHub shows, for some seconds. */
static struct error *await_release(struct store_github *store)
{
	struct error *err;

	uint64_t end_ms =
		monotonic_ms() + http_limits(store->github.http)->retry_ms;
	for (unsigned int waits = 0;; waits++) {
		uint64_t wait_ms = backoff_ms(&backoff_failure, waits);

		err = ask_for_release(store);
		if (err || store->release.id)
			return err;
		if (monotonic_ms() + wait_ms > end_ms)
			return error_create(ERROR_RETRY,
					    "the GitHub release %s was made, but GitHub does not show it yet; try again later",
					    store->tag);
		err = interrupt_sleep(wait_ms);
		if (err)
			return err;
	}
}

/**
 * Two who make a release at once may both succeed, and then there are two of one
 * tag. The older stays; whoever made the other one deletes it, and uses that.
 */
static struct error *settle_release(struct store_github *store)
{
	struct error *err;
	uint64_t made = store->release.id;

	err = await_release(store);
	if (err || store->release.id >= made)
		return err;
	log_debug("%s: somebody else has just made it, too", store->tag);
	err = github_call(&store->github, GITHUB_DELETE, NULL, NULL,
			  "/releases/%" PRIu64, made);
	error_catch(&err, ERROR_NOT_FOUND);
	return err;
}

/** On success GitHub shows it, or one that somebody else has made meanwhile. */
static struct error *create_release(struct store_github *store,
				    const char *markdown)
{
	struct error *err;
	_cleanup_value_ struct value answer = { 0 };
	// Never the latest: that is for what people release.
	json_t *json = json_pack("{s:s, s:s, s:s, s:b, s:s}", "tag_name",
				 store->tag, "name", store->tag, "body", markdown,
				 "prerelease", 1, "make_latest", "false");

	err = github_call(&store->github, GITHUB_POST, json, &answer,
			  "/releases");
	// Somebody else was faster, or it was us and the answer got lost.
	if (error_catch(&err, ERROR_EXISTS))
		return await_release(store);
	if (err)
		return err;
	err = set_release(store, &answer);
	return err ? err : settle_release(store);
}

struct error *store_github_require(struct store_github *store)
{
	struct error *err;

	err = find_release(store);
	if (err)
		return err;
	if (!store->release.id)
		err = create_release(store, "");
	if (err || !store->release.immutable)
		return err;
	return error_create(
		ERROR_OTHER,
		"the GitHub release is immutable; use another tag, in a repository where immutable releases are off");
}

struct error *store_github_list_all(const struct store_github *store,
				    struct asset_list *ret)
{
	struct error *err;

	_cleanup_asset_list_ struct asset_list list = { 0 };
	// Twice what there can be is enough.
	err = github_list(&store->github, 2 * GITHUB_ASSETS_MAX / GITHUB_PER_PAGE,
			  github_asset_read, sizeof(*list.items), &list,
			  "/releases/%" PRIu64 "/assets?", store->release.id);
	if (err)
		return error_wrap(err, "the assets of %s", store->tag);
	*ret = take(list);
	return NULL;
}

struct error *store_github_open(struct store *store_, const struct asset *asset,
				struct stream **ret)
{
	static const char *const headers[] = {
		"Accept: application/octet-stream",
		GITHUB_API_VERSION,
		NULL,
	};
	struct error *err;

	const struct github *github = &store_github(store_)->github;
	_cleanup_free_ char *api_url =
		string_format("%s/repos/%s/releases/assets/%" PRIu64,
			      github->api_url, github->repository, asset->id);
	err = github_check_url(github, "browser_download_url", asset->url, "");
	if (err)
		return err;
	// Requests to the API are limited; the other URL, which has no limit,
	// serves what is public.
	const struct http_request request = {
		.url = asset->url,
		.private_url = github->token ? api_url : NULL,
		.headers = headers,
		.token = github->token,
	};

	*ret = http_open(github->http, &request, asset->size_bytes,
			 asset->digest);
	return NULL;
}

struct error *store_github_delete(struct store *store, const struct asset *asset)
{
	struct error *err;

	err = github_call(&store_github(store)->github, GITHUB_DELETE, NULL,
			  NULL, "/releases/assets/%" PRIu64, asset->id);
	error_catch(&err, ERROR_NOT_FOUND);
	return err;
}

static struct error *store_github_check_writable(struct store *store)
{
	return github_require_token(&store_github(store)->github, "contents");
}

static void store_github_destroy(struct store *store_)
{
	struct store_github *store = store_github(store_);

	github_deinit(&store->github);
	github_release_deinit(&store->release);
	free(store->tag);
	free(store);
}

static struct error *store_github_create(const char *location,
					 struct http *http, struct store **ret)
{
	struct error *err;

	const char *at = strchrnul(location, '@');
	_cleanup_free_ char *repository =
		string_copy_n(location, (size_t)(at - location));
	if (!*at || !github_is_plain(at + 1, "/+"))
		return error_create(
			ERROR_USAGE,
			"it is written github:OWNER/REPO@TAG, in letters, digits and '-_.'");
	struct github github;
	err = github_init(&github, repository, http);
	if (err)
		return err;
	struct store_github *store = memory_allocate(1, sizeof(*store));
	store->store.operations = &store_github_operations;
	store->github = github;
	store->tag = string_copy(at + 1);
	*ret = &store->store;
	return NULL;
}

static struct error *store_github_list(struct store *store_,
				       struct asset_list *ret)
{
	struct error *err;

	struct store_github *store = store_github(store_);
	err = find_release(store);
	if (err)
		return err;
	_cleanup_asset_list_ struct asset_list all = take(store->release.assets);
	store_->used = 0;
	for (size_t i = 0; i < all.count; i++) {
		if (all.items[i].is_partial)
			continue;
		store_->used++;
		// Drop assets that are not packages.
		if (asset_name_is_valid(all.items[i].name))
			vector_add(ret) = take(all.items[i]);
	}
	return NULL;
}

static char *store_github_page(struct store *store_)
{
	const char *body = store_github(store_)->release.body;

	return body ? string_copy(body) : NULL;
}

static struct error *store_github_describe(struct store *store_,
					   const char *markdown)
{
	struct error *err;

	struct store_github *store = store_github(store_);
	err = github_require_token(&store->github, "contents");
	if (err)
		return err;
	if (!store->release.id) {
		err = find_release(store);
		if (err)
			return err;
	}
	if (!store->release.id)
		return create_release(store, markdown);
	_cleanup_value_ struct value answer = { 0 };
	err = github_call(&store->github, GITHUB_PATCH,
			  json_pack("{s:s}", "body", markdown), &answer,
			  "/releases/%" PRIu64, store->release.id);
	return err ? err : set_release(store, &answer);
}

static const char *store_github_repository(const struct store *store)
{
	return ((const struct store_github *)store)->github.repository;
}

const struct store_operations store_github_operations = {
	.prefix = "github:",
	.form = "github:OWNER/REPO@TAG",
	.create = store_github_create,
	.destroy = store_github_destroy,
	.list = store_github_list,
	.open = store_github_open,
	.put = store_github_put,
	.check_writable = store_github_check_writable,
	.delete = store_github_delete,
	.limit = GITHUB_ASSETS_MAX,
	.page = store_github_page,
	.describe = store_github_describe,
	.repository = store_github_repository,
};
