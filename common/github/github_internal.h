// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_GITHUB_INTERNAL_H
#define COMMON_GITHUB_GITHUB_INTERNAL_H

/** @file What the files of github.h share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/archive/archive.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/store/store.h"

struct error;
struct github;

/*
 * What GitHub's REST API says about releases, read from JSON that is not
 * trusted: whatever is not of the type, the range or the characters that its
 * description promises is refused with a line that names the field.
 */

/** What any answer of GitHub is read from. */
_must_check_ struct error *github_parse(const char *text, size_t size,
					struct value *ret);

struct github_release {
	uint64_t id;
	/** Where assets are sent to, without its URI template. */
	char *upload_url;
	bool immutable;
	/** Also those whose names are not valid (store.h). */
	struct asset_list assets;
};

void github_release_deinit(struct github_release *release);

#define _cleanup_github_release_ _cleanup_(github_release_deinit)

_must_check_ struct error *github_read_release(const struct value *value,
					       struct github_release *ret);

/** A reader of `struct asset`. On failure, too, it is to be freed. */
_must_check_ value_reader github_read_asset;

/** Whether an error's body holds this code: `already_exists`. */
bool github_error_has_code(const char *text, size_t size, const char *code);

/* One file on its way to being an asset of a GitHub release. */

/** What is to be put. */
struct github_upload {
	const char *path;
	const char *name;
	/** As of store_put(). */
	const char *label;
	char digest[DIGEST_TEXT_SIZE];
	uint64_t size_bytes;
	/** May be NULL. */
	struct progress *progress;
};

/**
 * Send the file until the release has it whole. Nothing is looked at before:
 * only where GitHub says that the name is taken, or the upload breaks, the assets
 * are listed. What our broken upload has left is deleted; an answer that got lost
 * is found out.
 *
 * Others may be uploading the same file. Nobody can tell theirs from the
 * remains of a run that died, so it is watched for as long as a transfer may
 * bring nothing, longer after each failure, and deleted then. Whose upload was
 * deleted while it went on looks again, and finds the other's.
 *
 * A look also deletes what uploads of any package have left for more than a day.
 *
 * @param[in] github Its release was just looked up: an asset that it shows needs
 * no upload.
 * @param[out] url_ret Where it can be downloaded; free().
 * @return ERROR_EXISTS if the name is taken by a file with another digest.
 */
_must_check_ struct error *github_upload(struct github *github,
					 const struct github_upload *upload,
					 char **url_ret);

#endif /* COMMON_GITHUB_GITHUB_INTERNAL_H */
