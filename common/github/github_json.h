// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_GITHUB_JSON_H
#define COMMON_GITHUB_GITHUB_JSON_H

/**
 * @file
 *
 * What GitHub's REST API says about releases, read from JSON that is not
 * trusted: whatever is not of the type, the range or the characters that its
 * description promises is refused with a line that names the field.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/json.h"
#include "common/store/store.h"

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

#endif /* COMMON_GITHUB_GITHUB_JSON_H */
