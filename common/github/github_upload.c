// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_upload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/system.h"
#include "common/github/github.h"
#include "common/github/github_assets.h"
#include "common/http/backoff.h"
#include "common/http/http.h"
#include "common/store/store_internal.h"

/** Between looks at what somebody else uploads. */
static const struct backoff watch = { .first_ms = 250, .limit_ms = 10000 };

enum {
	/** No upload lasts longer. */
	STARTER_LIFETIME_S = 24 * 3600,
};

/** What a look at the assets has found. */
enum finding {
	/** The name is free. */
	FINDING_FREE,
	/** The file is there. */
	FINDING_DONE,
	/** Somebody else is uploading under the name, or has died of it. */
	FINDING_OTHER,
};

/** An upload, over all attempts. */
struct uploader {
	struct github *github;
	const struct github_upload *upload;
	char **url_ret;
	/** How often we have failed, and since when. */
	unsigned int failures;
	uint64_t failing_since_ms;
	/** Our latest attempt broke: a starter of the name is its remains. */
	bool has_broken;
	/** The starter of somebody else that we watch, and since when. */
	uint64_t other_id;
	uint64_t other_since_ms;
	unsigned int looks;
};

static const char *const upload_headers[] = {
	GITHUB_ACCEPT_JSON,
	GITHUB_API_VERSION,
	"Content-Type: application/octet-stream",
	NULL,
};

static struct error *drop(void *arg, const void *data, size_t size_bytes)
{
	(void)arg;
	(void)data;
	(void)size_bytes;
	return NULL;
}

/** Whether the asset that has the name is the file that we put. */
static struct error *compare_asset(struct github *github,
				   const struct github_upload *upload,
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
	err = github_get(github, &wanted, drop, NULL);
	if (error_is(err, ERROR_RETRY) || error_is(err, ERROR_LIMITED) ||
	    error_is(err, ERROR_CANCELLED))
		return take_ptr(err);
	*same_ret = !err;
	return NULL;
}

/** See whether the file is there. @return ERROR_EXISTS if another one is. */
static struct error *find_file(const struct uploader *uploader,
			       const struct asset_list *uploaded,
			       enum finding *ret)
{
	struct error *err;
	const struct asset *asset =
		asset_list_find(uploaded, uploader->upload->name);
	bool same;

	*ret = FINDING_FREE;
	if (!asset)
		return NULL;
	err = compare_asset(uploader->github, uploader->upload, asset, &same);
	if (err)
		return err;
	if (!same) {
		return error_create(
			ERROR_EXISTS,
			"an asset with this name and another digest is there; rebuild under a new name");
	}
	*ret = FINDING_DONE;
	*uploader->url_ret = string_copy(asset->url);
	return NULL;
}

/**
 * How long somebody else's upload is watched. Longer each time that we fail, as
 * two who take each other for dead would else go on deleting what the other one
 * sends.
 */
static uint64_t other_limit_ms(const struct uploader *uploader)
{
	const struct backoff limit = {
		.first_ms = http_stall_limit_ms(uploader->github->http),
		.limit_ms = UINT64_MAX,
	};

	// Whoever looks has failed once.
	return backoff_ms(&limit, uploader->failures - 1);
}

/** How much longer a starter is to be watched; 0 if it has broken. */
static uint64_t watch_other(struct uploader *uploader, const struct asset *starter)
{
	uint64_t now_ms = monotonic_ms(), limit_ms = other_limit_ms(uploader);
	uint64_t watched_ms, age_ms = 0;
	int64_t age_s = (int64_t)time(NULL) - starter->created;

	if (uploader->has_broken)
		return 0;
	if (uploader->other_id != starter->id) {
		uploader->other_id = starter->id;
		uploader->other_since_ms = now_ms;
		uploader->looks = 0;
	}
	watched_ms = now_ms - uploader->other_since_ms;
	// In whole seconds, it may look one older than it is. The clocks may
	// differ: then it counts for how long we have seen it.
	if (age_s > 1)
		age_ms = (uint64_t)(age_s - 1) * 1000;
	if (watched_ms > age_ms)
		age_ms = watched_ms;
	return age_ms < limit_ms ? limit_ms - age_ms : 0;
}

/** Let somebody else's upload go on for a while. */
static struct error *wait_for_other(struct uploader *uploader, uint64_t left_ms)
{
	uint64_t wait_ms;

	if (uploader->looks == 0) {
		log_info("%s: another upload of it has begun; waiting up to %" PRIu64
			 " s for it to end",
			 uploader->upload->name, (left_ms + 999) / 1000);
	}
	wait_ms = backoff_ms(&watch, uploader->looks++);
	return interrupt_sleep(wait_ms < left_ms ? wait_ms : left_ms);
}

/** Delete a starter, and no longer count it. */
static struct error *delete_starter(const struct uploader *uploader,
				    const struct asset *starter, size_t *count)
{
	log_debug("%s: deleting what a broken upload has left", starter->name);
	--*count;
	return github_delete_asset(uploader->github, starter->id);
}

static bool is_dead(const struct asset *starter)
{
	return starter->created <= (int64_t)time(NULL) - STARTER_LIFETIME_S;
}

/** Deal with uploads that have not ended: under our name, or long ago. */
static struct error *look_at_starters(struct uploader *uploader,
				      const struct asset_list *starters,
				      size_t *count, enum finding *ret)
{
	for (size_t i = 0; i < starters->count; i++) {
		struct error *err = NULL;
		const struct asset *starter = &starters->items[i];
		uint64_t left_ms;

		if (strcmp(starter->name, uploader->upload->name) == 0) {
			left_ms = watch_other(uploader, starter);
			if (left_ms) {
				*ret = FINDING_OTHER;
				return wait_for_other(uploader, left_ms);
			}
			err = delete_starter(uploader, starter, count);
		} else if (asset_name_is_valid(starter->name) &&
			   is_dead(starter)) {
			// Nobody puts its kernel any more, and it takes room.
			err = delete_starter(uploader, starter, count);
		}
		if (err)
			return err;
	}
	return NULL;
}

/**
 * Look at what the release holds under the name: nothing, the file, another
 * file, or what an upload that broke has left, which is deleted.
 */
static struct error *look(struct uploader *uploader, enum finding *ret)
{
	struct error *err;
	_cleanup_github_assets_ struct github_assets assets = { 0 };
	size_t count;

	// It may have been deleted meanwhile.
	err = github_require_release(uploader->github);
	if (!err)
		err = github_list_assets(uploader->github, &assets);
	if (!err)
		err = find_file(uploader, &assets.uploaded, ret);
	if (err || *ret == FINDING_DONE)
		return err;
	count = assets.uploaded.count + assets.starters.count;
	err = look_at_starters(uploader, &assets.starters, &count, ret);
	if (!err && *ret == FINDING_FREE && count >= GITHUB_ASSETS_MAX) {
		err = error_create(ERROR_OTHER,
				   "the GitHub release holds %d assets, which is GitHub's limit; prune it, or use another tag",
				   GITHUB_ASSETS_MAX);
	}
	return err;
}

/** GitHub has accepted it: see that it is what we sent. */
static struct error *check_uploaded(const struct github *github,
				    const struct github_upload *upload,
				    const struct http_response *response,
				    char **url_ret)
{
	struct error *err;
	_cleanup_asset_ struct asset asset = { 0 };
	bool uploaded;

	err = github_parse_asset(response->body, response->body_size_bytes,
				 &asset, &uploaded);
	if (err) {
		error_destroy(err);
		// It says that we have succeeded: looking will tell.
		return error_create(ERROR_RETRY, "GitHub's answer is damaged");
	}
	if (strcmp(asset.name, upload->name) != 0) {
		return error_create(ERROR_OTHER, "GitHub has renamed the asset");
	}
	if (uploaded && asset.size_bytes == upload->size_bytes &&
	    (!*asset.digest || strcmp(asset.digest, upload->digest) == 0)) {
		*url_ret = take_ptr(asset.url);
		return NULL;
	}
	err = github_delete_asset(github, asset.id);
	if (err)
		return err;
	return error_create(ERROR_RETRY,
			    "GitHub received other bytes than we sent, or does %s change?",
			    upload->path);
}

static void format_upload_url(const struct github *github,
			      const struct github_upload *upload, char **ret)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	string_builder_appendf(&sb, "%s?name=%s", github->release.upload_url,
			       upload->name);
	if (upload->label) {
		string_builder_append(&sb, "&label=");
		string_builder_append_url(&sb, upload->label);
	}
	*ret = string_builder_take(&sb);
}

/** @return ERROR_RETRY if it is worth to look, and to try again. */
static struct error *refusal(const struct github *github,
			     const struct http_request *request,
			     const struct http_response *response)
{
	_cleanup_error_ struct error *err = NULL;

	// The release was there just now.
	if (response->status == 404) {
		return error_create(
			ERROR_RETRY,
			"somebody has deleted the asset, or the GitHub release, while it was sent");
	}
	err = github_answer_error(github, request, response);
	// The name is taken, or there are too many: by what is to be seen.
	if (response->status == 422 &&
	    (github_error_has_code(response->body, response->body_size_bytes,
				   "already_exists") ||
	     strstr(response->body, "file_count")))
		return error_create(ERROR_RETRY, "%s", error_message(err));
	return take(err);
}

/** @return ERROR_RETRY if it is worth to look, and to try again. */
static struct error *upload_once(struct uploader *uploader)
{
	struct error *err;
	struct github *github = uploader->github;
	const struct github_upload *upload = uploader->upload;
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
		// What has become of it is for look() to see.
		.no_retry = true,
	};

	format_upload_url(github, upload, &url);
	request.url = url;
	err = http_perform(github->http, &request, &response);
	uploader->has_broken = err || response.status >= 500;
	if (err)
		return err;
	if (response.status == 201)
		return check_uploaded(github, upload, &response,
				      uploader->url_ret);
	return refusal(github, &request, &response);
}

/** After a failure: wait, if there is to be another attempt. */
static bool try_again(struct uploader *uploader, struct error **err)
{
	uint64_t now_ms = monotonic_ms();
	uint64_t wait_ms = backoff_ms(&backoff_failure, uploader->failures);

	if (!error_is(*err, ERROR_RETRY))
		return false;
	if (uploader->failures == 0)
		uploader->failing_since_ms = now_ms;
	if (now_ms + wait_ms > uploader->failing_since_ms +
				       http_retry_limit_ms(uploader->github->http))
		return false;
	uploader->failures++;
	log_debug("%s: %s; trying again", uploader->upload->name,
		  error_message(*err));
	error_destroy(*err);
	*err = interrupt_sleep(wait_ms);
	return !*err;
}

struct error *github_upload(struct github *github,
			    const struct github_upload *upload, char **url_ret)
{
	struct error *err;
	struct uploader uploader = {
		.github = github,
		.upload = upload,
		.url_ret = url_ret,
	};
	enum finding finding;

	err = find_file(&uploader, &github->release.assets, &finding);
	while (!err && finding != FINDING_DONE) {
		err = upload_once(&uploader);
		if (!try_again(&uploader, &err))
			return err;
		do
			err = look(&uploader, &finding);
		while (!err && finding == FINDING_OTHER);
	}
	return err;
}
