// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_ASSETS_H
#define COMMON_GITHUB_ASSETS_H

/**
 * @file
 *
 * The assets of a release on GitHub.
 * https://docs.github.com/en/rest/releases/assets
 */

#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/store.h"

struct error;
struct github;

/**
 * All assets of the release, which is known.
 *
 * @param[out] starters Uploads that never ended.
 * @param[out] count_ret How many there are of any kind.
 */
_must_check_ struct error *github_list_assets(const struct github *github,
					      struct asset_list *uploaded,
					      struct asset_list *starters,
					      size_t *count_ret);

/** As store_get(). */
_must_check_ struct error *github_get(const struct github *github,
				      const struct asset *asset,
				      store_sink sink, void *arg);

/** No error if it has gone already. */
_must_check_ struct error *github_delete_asset(const struct github *github,
					       uint64_t id);

#endif /* COMMON_GITHUB_ASSETS_H */
