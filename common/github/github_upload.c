// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_internal.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/github/github.h"
#include "common/http/http.h"
#include "common/store/store_internal.h"

enum {
	/** No upload lasts longer. */
	STARTER_LIFETIME_S = 24 * 3600,
};

/** An upload, over all attempts. */
struct uploader {
	struct github *github;
	const struct github_upload *upload;
	/** Where the file is once it is there; NULL before. */
	char *url;
	unsigned int failures;
	/** Our latest attempt broke: a starter of the name is its remains. */
	bool has_broken;
};

/** Whether the asset that has the name is the file that we put. */
static struct error *compare_asset(const struct github *github,
				   const struct github_upload *upload,
				   const struct asset *asset, bool *same_ret)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_stream_ struct stream *stream = NULL;
	struct asset wanted = *asset;
	const void *data;
	size_t size;

	*same_ret = *asset->digest ? strcmp(asset->digest, upload->digest) == 0
				   : asset->size_bytes == upload->size_bytes;
	if (!*same_ret || *asset->digest)
		return NULL;
	// GitHub did not always keep digests: fetch the asset to know its.
	memcpy(wanted.digest, upload->digest, sizeof(wanted.digest));
	stream = github_open(github, &wanted);
	do
		err = stream_read(stream, &data, &size);
	while (!err && size);
	if (error_is(err, ERROR_RETRY) || error_is(err, ERROR_LIMITED) ||
	    error_is(err, ERROR_CANCELLED))
		return take_ptr(err);
	*same_ret = !err;
	return NULL;
}

/** See whether the file is there. @return ERROR_EXISTS if another one is. */
static struct error *find_file(struct uploader *uploader,
			       const struct asset_list *assets)
{
	const struct asset *asset =
		asset_list_find(assets, uploader->upload->name);
	bool same;

	if (!asset || asset->is_partial)
		return NULL;

	struct error *err =
		compare_asset(uploader->github, uploader->upload, asset, &same);

	if (err)
		return err;
	if (!same)
		return error_create(
			ERROR_EXISTS,
			"an asset with this name and another digest is there; rebuild under a new name");
	uploader->url = string_copy(asset->url);
	return NULL;
}

static struct error *delete_starter(const struct github *github,
				    const struct asset *starter)
{
	log_debug("%s: deleting what a broken upload has left", starter->name);
	return github_delete_asset(github, starter->id);
}

/** Delete what nobody sends any more, and count what is there besides. */
static struct error *make_room(const struct github *github,
			       const struct asset_list *assets)
{
	size_t count = assets->count;

	for (size_t i = 0; i < assets->count; i++) {
		const struct asset *starter = &assets->items[i];

		if (!starter->is_partial || !asset_name_is_valid(starter->name) ||
		    starter->created > (int64_t)time(NULL) - STARTER_LIFETIME_S)
			continue;

		struct error *err = delete_starter(github, starter);

		if (err)
			return err;
		count--;
	}
	if (count < GITHUB_ASSETS_MAX)
		return NULL;
	return error_create(ERROR_OTHER,
			    "the GitHub release holds %d assets, which is GitHub's limit; prune it, or use another tag",
			    GITHUB_ASSETS_MAX);
}

/**
 * How long a starter of the name is watched that may be somebody else's: longer
 * each time that we fail, as two who take each other for dead would else go on
 * deleting what the other one sends.
 */
static uint64_t watch_limit_ms(const struct uploader *uploader)
{
	const struct backoff limit = {
		.first_ms = http_limits(uploader->github->http)->stall_ms,
		.limit_ms = UINT64_MAX,
	};

	if (uploader->has_broken)
		return 0;
	// Whoever looks has failed once.
	return backoff_ms(&limit, uploader->failures - 1);
}

/**
 * Look at what the release holds under the name: nothing, the file, another
 * file, what somebody else is sending, which is waited for, or what an upload
 * that broke has left, which is deleted.
 */
static struct error *look(struct uploader *uploader)
{
	struct github *github = uploader->github;
	const char *name = uploader->upload->name;
	uint64_t watched_id = 0, end_ms = 0;

	for (unsigned int looks = 0;; looks++) {
		struct error *err;
		_cleanup_asset_list_ struct asset_list assets = { 0 };

		// It may have been deleted meanwhile.
		err = github_require_release(github);
		if (err)
			return err;
		err = github_list_assets(github, &assets);
		if (err)
			return err;
		err = find_file(uploader, &assets);
		if (err || uploader->url)
			return err;

		const struct asset *starter = asset_list_find(&assets, name);
		uint64_t now_ms = monotonic_ms();

		if (!starter)
			return make_room(github, &assets);
		if (watched_id != starter->id) {
			watched_id = starter->id;
			end_ms = now_ms + watch_limit_ms(uploader);
			looks = 0;
			if (end_ms > now_ms)
				log_info("%s: another upload of it has begun; waiting up to %" PRIu64
					 " s for it to end",
					 name, (end_ms - now_ms + 999) / 1000);
		}
		if (now_ms >= end_ms)
			return delete_starter(github, starter);

		uint64_t wait_ms = backoff_ms(&backoff_failure, looks);

		if (wait_ms > end_ms - now_ms)
			wait_ms = end_ms - now_ms;
		err = interrupt_sleep(wait_ms);
		if (err)
			return err;
	}
}

/** GitHub has accepted it: see that it is what we sent. */
static struct error *check_uploaded(struct uploader *uploader,
				    const struct http_response *response)
{
	const struct github_upload *upload = uploader->upload;
	_cleanup_asset_ struct asset asset = { 0 };
	_cleanup_value_ struct value answer = { 0 };
	struct error *err =
		github_parse(response->body, response->body_size_bytes, &answer);

	if (!err)
		err = github_read_asset(&answer, &asset);
	if (err) {
		error_destroy(err);
		// It says that we have succeeded: looking will tell.
		return error_create(ERROR_RETRY, "GitHub's answer is damaged");
	}
	if (strcmp(asset.name, upload->name) != 0)
		return error_create(ERROR_OTHER, "GitHub has renamed the asset");
	if (!asset.is_partial && asset.size_bytes == upload->size_bytes &&
	    (!*asset.digest || strcmp(asset.digest, upload->digest) == 0)) {
		uploader->url = take_ptr(asset.url);
		return NULL;
	}
	err = github_delete_asset(uploader->github, asset.id);
	if (err)
		return err;
	return error_create(ERROR_RETRY,
			    "GitHub received other bytes than we sent, or does %s change?",
			    upload->path);
}

/** @return ERROR_RETRY if it is worth to look, and to try again. */
static struct error *refusal(const struct github *github,
			     const struct http_request *request,
			     const struct http_response *response)
{
	_cleanup_error_ struct error *err =
		github_answer_error(github, "/releases", request, response);

	// The release was there just now.
	if (error_is(err, ERROR_NOT_FOUND))
		return error_create(
			ERROR_RETRY,
			"somebody has deleted the asset, or the GitHub release, while it was sent");
	// The name is taken, or there are too many: by what is to be seen.
	if (error_is(err, ERROR_EXISTS) || strstr(response->body, "file_count"))
		return error_create(ERROR_RETRY, "%s", error_message(err));
	return take(err);
}

/** @return ERROR_RETRY if it is worth to look, and to try again. */
static struct error *upload_once(struct uploader *uploader)
{
	static const char *const headers[] = {
		GITHUB_ACCEPT_JSON,
		GITHUB_API_VERSION,
		"Content-Type: application/octet-stream",
		NULL,
	};
	struct error *err;
	const struct github *github = uploader->github;
	const struct github_upload *upload = uploader->upload;
	_cleanup_string_builder_ struct string_builder url = { 0 };
	_cleanup_http_response_ struct http_response response = { 0 };

	string_builder_appendf(&url, "%s?name=%s", github->release.upload_url,
			       upload->name);
	if (upload->label) {
		string_builder_append(&url, "&label=");
		string_builder_append_url(&url, upload->label);
	}

	const struct http_request request = {
		.method = "POST",
		.url = url.text,
		.headers = headers,
		.token = github->token,
		.body_path = upload->path,
		.body_size_bytes = upload->size_bytes,
		.progress = upload->progress,
		// What has become of it is for look() to see.
		.no_retry = true,
	};

	err = http_perform(github->http, &request, &response);
	uploader->has_broken = err || response.status >= 500;
	if (err)
		return err;
	if (response.status == 201)
		return check_uploaded(uploader, &response);
	return refusal(github, &request, &response);
}

struct error *github_upload(struct github *github,
			    const struct github_upload *upload, char **url_ret)
{
	struct error *err;
	struct uploader uploader = { .github = github, .upload = upload };
	uint64_t end_ms = 0;

	err = find_file(&uploader, &github->release.assets);
	while (!err && !uploader.url) {
		err = upload_once(&uploader);
		if (!error_is(err, ERROR_RETRY))
			continue;

		uint64_t wait_ms =
			backoff_ms(&backoff_failure, uploader.failures);

		if (uploader.failures++ == 0)
			end_ms = monotonic_ms() +
				 http_limits(github->http)->retry_ms;
		if (monotonic_ms() + wait_ms > end_ms)
			return err;
		log_debug("%s: %s; trying again", upload->name,
			  error_message(err));
		error_destroy(err);
		err = interrupt_sleep(wait_ms);
		if (!err)
			err = look(&uploader);
	}
	if (!err)
		*url_ret = uploader.url;
	return err;
}
