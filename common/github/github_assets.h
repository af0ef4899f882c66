// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_GITHUB_ASSETS_H
#define COMMON_GITHUB_GITHUB_ASSETS_H

/**
 * @file
 *
 * The assets of a release on GitHub.
 * https://docs.github.com/en/rest/releases/assets
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/store/store.h"

struct error;
struct github;
struct github_assets;
struct github_seal;

enum {
	/** Most assets of a release, of whatever kind and state. */
	GITHUB_ASSETS_MAX = 1000,
};

/** Ask for all assets of the release, which is known. */
_must_check_ struct error *github_ask_assets(const struct github *github,
					     struct github_assets *ret);

/**
 * The same, but where the release's seal (github_seal.h) says that the list is
 * at hand, nothing is asked. Takes the assets that the release shows.
 *
 * @param[out] seal_ret For this list; its digests are "" while uploads are
 * under way, which may change it.
 */
_must_check_ struct error *github_list_assets(struct github *github,
					      struct github_assets *ret,
					      struct github_seal *seal_ret);

/** Whether a starter may still become an asset: no upload lasts a day. */
bool github_starter_is_alive(const struct asset *starter);

/** As store_get(). */
_must_check_ struct error *github_get(const struct github *github,
				      const struct asset *asset, file_sink sink,
				      void *arg);

/** No error if it has gone already. */
_must_check_ struct error *github_delete_asset(const struct github *github,
					       uint64_t id);

#endif /* COMMON_GITHUB_GITHUB_ASSETS_H */
