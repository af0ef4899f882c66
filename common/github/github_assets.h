// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_GITHUB_ASSETS_H
#define COMMON_GITHUB_GITHUB_ASSETS_H

/**
 * @file
 *
 * The assets of a release on GitHub.
 * https://docs.github.com/en/rest/releases/assets
 */

#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"

struct asset;
struct error;
struct github;
struct github_assets;

enum {
	/** Most assets of a release, of whatever kind and state. */
	GITHUB_ASSETS_MAX = 1000,
};

/**
 * List the assets of the release, which is known. The release shows those that
 * are whole; only this list, a request for each hundred, has the others, too.
 */
_must_check_ struct error *github_list_assets(const struct github *github,
					      struct github_assets *ret);

/** As store_get(). */
_must_check_ struct error *github_get(const struct github *github,
				      const struct asset *asset, file_sink sink,
				      void *arg);

/** No error if it has gone already. */
_must_check_ struct error *github_delete_asset(const struct github *github,
					       uint64_t id);

#endif /* COMMON_GITHUB_GITHUB_ASSETS_H */
