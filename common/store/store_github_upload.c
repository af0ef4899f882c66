// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/store/store_github.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"

static const off_t asset_bytes_max = ((off_t)2 << 30) - 1;

enum {
	/** No upload lasts longer. */
	STARTER_LIFETIME_S = 24 * 3600,
};

/**
 * A file on its way to being an asset, over all attempts.
 *
 * Nothing is looked at before it is sent: only where GitHub says that the name is
 * taken, or the upload breaks, the assets are listed. What our broken upload has
 * left is deleted; an answer that got lost is found out.
 *
 * Others may be uploading the same file. Nobody can tell theirs from the
 * remains of a run that died, so it is watched for as long as a transfer may
 * bring nothing, longer after each failure, and deleted then. Whose upload was
 * deleted while it went on looks again, and finds the other's.
 *
 * A look also deletes what uploads of any package have left for more than a day.
 */
struct upload {
	struct store_github *store;
	/** As of store_put(). */
	const char *path, *name, *label;
	struct progress *progress;
	char digest[DIGEST_TEXT_SIZE];
	uint64_t size_bytes;
	/** Where the file is once it is there; NULL before. */
	char *url;
	unsigned int failures;
	/** Our latest attempt broke: a starter of the name is its remains. */
	bool has_broken;
};

/**
 * See whether the file is among the assets.
 *
 * @return ERROR_EXISTS if another one has the name.
 */
static struct error *find_file(struct upload *upload,
			       const struct asset_list *assets)
{
	struct error *err;

	const struct asset *asset = asset_list_find(assets, upload->name);
	if (!asset || asset->is_partial)
		return NULL;
	const char *digest = asset->digest;
	_cleanup_stream_ struct stream *stream = NULL;
	if (!*digest && asset->size_bytes == upload->size_bytes) {
		// GitHub did not always keep digests: fetch the asset to know its.
		err = store_github_open(&upload->store->store, asset, &stream);
		if (err)
			return err;
		err = stream_digest(stream);
		if (err)
			return err;
		digest = stream->actual;
	}
	if (strcmp(digest, upload->digest) != 0)
		return error_create(
			ERROR_EXISTS,
			"an asset with this name and another digest is there; rebuild under a new name");
	upload->url = string_copy(asset->url);
	return NULL;
}

static struct error *delete_starter(struct store_github *store,
				    const struct asset *starter)
{
	log_debug("%s: deleting what a broken upload has left", starter->name);
	return store_github_delete(&store->store, starter);
}

/** Delete what nobody sends any more, and count what is there besides. */
static struct error *make_room(struct store_github *store,
			       const struct asset_list *assets)
{
	size_t count = assets->count;

	for (size_t i = 0; i < assets->count; i++) {
		const struct asset *starter = &assets->items[i];

		if (!starter->is_partial || !asset_name_is_valid(starter->name) ||
		    starter->created > (int64_t)time(NULL) - STARTER_LIFETIME_S)
			continue;
		struct error *err = delete_starter(store, starter);
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
 * Look at what the release holds under the name: nothing, the file, another
 * file, what somebody else is sending, which is waited for, or what an upload
 * that broke has left, which is deleted.
 */
static struct error *look(struct upload *upload)
{
	struct error *err;

	struct store_github *store = upload->store;
	/** How long a starter that may be somebody else's is watched. */
	const struct backoff watch = {
		.first_ms = http_limits(store->github.http)->stall_ms,
		.limit_ms = UINT64_MAX,
	};
	uint64_t watched_id = 0, end_ms = 0;
	for (unsigned int looks = 0;; looks++) {
		// It may have been deleted meanwhile.
		err = store_github_require(store);
		if (err)
			return err;
		_cleanup_asset_list_ struct asset_list assets = { 0 };
		err = store_github_list_all(store, &assets);
		if (err)
			return err;
		err = find_file(upload, &assets);
		if (err || upload->url)
			return err;
		const struct asset *starter =
			asset_list_find(&assets, upload->name);
		if (!starter)
			return make_room(store, &assets);
		uint64_t now_ms = monotonic_ms();
		if (watched_id != starter->id) {
			watched_id = starter->id;
			end_ms = now_ms;
			// Longer each time that we fail, as two who take each
			// other for dead would else go on deleting what the
			// other one sends. Whoever looks has failed once.
			if (!upload->has_broken)
				end_ms +=
					backoff_ms(&watch, upload->failures - 1);
			looks = 0;
			if (end_ms > now_ms)
				log_info("%s: another upload of it has begun; waiting up to %" PRIu64
					 " s for it to end",
					 upload->name,
					 (end_ms - now_ms + 999) / 1000);
		}
		if (now_ms >= end_ms)
			return delete_starter(store, starter);
		uint64_t wait_ms = backoff_ms(&backoff_failure, looks);
		if (wait_ms > end_ms - now_ms)
			wait_ms = end_ms - now_ms;
		err = interrupt_sleep(wait_ms);
		if (err)
			return err;
	}
}

/** GitHub has accepted it: see that it is what we sent. */
static struct error *check_uploaded(struct upload *upload,
				    const struct http_response *response)
{
	struct error *err;

	_cleanup_value_ struct value answer = { 0 };
	_cleanup_asset_ struct asset asset = { 0 };
	err = value_parse_answer(response->body, response->body_size_bytes,
				 "GitHub's answer", &answer);
	if (!err)
		err = github_asset_read(&answer, &asset);
	if (err) {
		error_destroy(err);
		// It says that we have succeeded: looking will tell.
		return error_create(ERROR_RETRY, "GitHub's answer is damaged");
	}
	if (strcmp(asset.name, upload->name) != 0)
		return error_create(ERROR_OTHER, "GitHub has renamed the asset");
	if (!asset.is_partial && asset.size_bytes == upload->size_bytes &&
	    (!*asset.digest || strcmp(asset.digest, upload->digest) == 0)) {
		upload->url = take_ptr(asset.url);
		return NULL;
	}
	err = store_github_delete(&upload->store->store, &asset);
	if (err)
		return err;
	return error_create(ERROR_RETRY,
			    "GitHub received other bytes than we sent, or does %s change?",
			    upload->path);
}

/** @return ERROR_RETRY if it is worth to look, and to try again. */
static struct error *upload_once(struct upload *upload)
{
	static const char *const headers[] = {
		GITHUB_ACCEPT_JSON,
		GITHUB_API_VERSION,
		"Content-Type: application/octet-stream",
		NULL,
	};
	struct error *err;

	const struct github *github = &upload->store->github;
	err = github_check_url(github, "upload_url",
			       upload->store->release.upload_url, "uploads.");
	if (err)
		return err;
	_cleanup_string_builder_ struct string_builder url = { 0 };
	string_builder_appendf(&url, "%s?name=%s",
			       upload->store->release.upload_url, upload->name);
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
	_cleanup_http_response_ struct http_response response = { 0 };
	err = http_perform(github->http, &request, &response);
	upload->has_broken = err || response.status >= 500;
	if (err)
		return err;
	if (response.status == 201)
		return check_uploaded(upload, &response);
	_cleanup_error_ struct error *refusal =
		github_answer_error(github, "/releases", &request, &response);
	// The release was there just now.
	if (error_is(refusal, ERROR_NOT_FOUND))
		return error_create(
			ERROR_RETRY,
			"somebody has deleted the asset, or the GitHub release, while it was sent");
	// The name is taken, or there are too many: by what is to be seen.
	if (error_is(refusal, ERROR_EXISTS) ||
	    strstr(response.body, "file_count"))
		return error_create(ERROR_RETRY, "%s", error_message(refusal));
	return take_ptr(refusal);
}

/** @param[in] upload Its release was just looked up. */
static struct error *upload_run(struct upload *upload)
{
	struct error *err;

	err = find_file(upload, &upload->store->release.assets);
	if (err)
		return err;
	uint64_t end_ms = 0;
	while (!upload->url) {
		err = upload_once(upload);
		if (!err)
			break;
		if (!error_is(err, ERROR_RETRY))
			return err;
		uint64_t wait_ms = backoff_ms(&backoff_failure, upload->failures);
		if (upload->failures++ == 0)
			end_ms = monotonic_ms() +
				 http_limits(upload->store->github.http)->retry_ms;
		if (monotonic_ms() + wait_ms > end_ms)
			return err;
		log_debug("%s: %s; trying again", upload->name,
			  error_message(err));
		error_destroy(err);
		err = interrupt_sleep(wait_ms);
		if (err)
			return err;
		err = look(upload);
		if (err)
			return err;
	}
	return NULL;
}

struct error *store_github_put(struct store *store_, const char *path,
			       const char *name, const char *label,
			       struct progress *progress, char **url_ret)
{
	struct error *err;

	struct store_github *store = store_github(store_);
	struct upload upload = {
		.store = store,
		.path = path,
		.name = name,
		.label = label,
		.progress = progress,
	};
	err = github_require_token(&store->github, "contents");
	if (err)
		return err;
	// Before the file is read: GitHub would refuse it after it was sent.
	struct stat st;
	if (stat(path, &st) < 0)
		return error_create_os(errno, "%s", path);
	if (st.st_size > asset_bytes_max)
		return error_create(ERROR_OTHER,
				    "%s has %jd bytes; GitHub takes less than 2 GiB",
				    path, (intmax_t)st.st_size);
	if (!st.st_size)
		return error_create(ERROR_OTHER, "%s is empty", path);
	err = digest_file(path, upload.digest, &upload.size_bytes);
	if (err)
		return err;
	err = store_github_require(store);
	if (err)
		return err;
	err = upload_run(&upload);
	if (err)
		return err;
	*url_ret = upload.url;
	return NULL;
}
