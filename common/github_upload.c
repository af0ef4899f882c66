// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github_upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/github.h"
#include "common/github_assets.h"
#include "common/http.h"
#include "common/interrupt.h"
#include "common/log.h"
#include "common/store_internal.h"

enum {
	UPLOADS_MAX = 5,
	UPLOAD_BACKOFF_MS = 500,
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
static struct error *prepare_upload(struct github *github,
				    const struct github_upload *upload,
				    bool *done_ret, char **url_ret)
{
	struct error *err;
	_cleanup_github_assets_ struct github_assets assets = { 0 };
	const struct asset *asset;
	size_t count;

	err = github_ask_assets(github, &assets);
	if (err)
		return err;
	count = assets.uploaded.count + assets.starters.count;
	asset = asset_list_find(&assets.uploaded, upload->name);
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
	asset = asset_list_find(&assets.starters, upload->name);
	if (asset) {
		log_debug("%s: deleting what a broken upload has left",
			  upload->name);
		err = github_delete_asset(github, asset->id);
		if (err)
			return err;
		count--;
	}
	if (count >= GITHUB_ASSETS_MAX) {
		return error_create(ERROR_OTHER,
				    "the GitHub release holds %d assets, which is GitHub's limit; prune it, or use another tag",
				    GITHUB_ASSETS_MAX);
	}
	return NULL;
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
	err = github_delete_asset(github, asset.id);
	if (err)
		return err;
	return error_create(ERROR_RETRY,
			    "GitHub received other bytes than we sent, or does %s change?",
			    upload->path);
}

/** @return ERROR_RETRY if it is worth to look and to try again. */
static struct error *upload_once(struct github *github,
				 const struct github_upload *upload,
				 char **url_ret)
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
	return github_answer_error(github, &request, &response);
}

struct error *github_upload(struct github *github,
			    const struct github_upload *upload, char **url_ret)
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
