// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_STORE_STORE_GITHUB_H
#define COMMON_STORE_STORE_GITHUB_H

/**
 * @file
 *
 * A store that is a GitHub release, for its own files: store_github.c knows the
 * release, store_github_upload.c makes a file one of its assets.
 * https://docs.github.com/en/rest/releases
 */

#include "common/base/cleanup.h"
#include "common/github/github.h"
#include "common/store/store_internal.h"

enum {
	/** Most assets of a release, of whatever kind and state. */
	GITHUB_ASSETS_MAX = 1000,
};

struct github_release {
	uint64_t id;
	/** Where assets are sent to, without its URI template. */
	char *upload_url;
	bool immutable;
	/** The page; NULL if there is none. */
	char *body;
	/** Those that are whole, also if their names are not valid (store.h). */
	struct asset_list assets;
};

void github_release_deinit(struct github_release *release);

#define _cleanup_github_release_ _cleanup_(github_release_deinit)

_must_check_ struct error *github_release_read(const struct value *value,
					       struct github_release *ret);

/** Reads a `struct asset`, which must be freed on failure, too. */
_must_check_ value_reader github_asset_read;

struct store_github {
	struct store store;
	struct github github;
	char *tag;
	/** As it was last seen; id 0 if it has not been, or is not there. */
	struct github_release release;
};

static inline struct store_github *store_github(struct store *store)
{
	return (struct store_github *)store;
}

/**
 * See the release, which is made if it is not there: a prerelease, never the
 * latest. An immutable one is refused.
 */
_must_check_ struct error *store_github_require(struct store_github *store);

/**
 * List the assets of the release, which is known. The release shows those that
 * are whole; only this list, a request for each hundred, has the others, too.
 */
_must_check_ struct error *store_github_list_all(const struct store_github *store,
						 struct asset_list *ret);

_must_check_ struct error *store_github_open(struct store *store,
					     const struct asset *asset,
					     struct stream **ret);
_must_check_ struct error *store_github_delete(struct store *store,
					       const struct asset *asset);
_must_check_ struct error *
store_github_put(struct store *store, const char *path, const char *name,
		 const char *label, struct progress *progress, char **url_ret);

#endif /* COMMON_STORE_STORE_GITHUB_H */
