// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_STORE_STORE_H
#define COMMON_STORE_STORE_H

/**
 * @file
 *
 * Where packages live: a directory, `dir:PATH`, or the assets of a GitHub
 * release, `github:OWNER/REPO@TAG`.
 *
 * A package in a store is an asset. It appears whole under its name or not at
 * all, and is never replaced under that name. An asset's name is made of
 * letters, digits and `.-_`, begins with a letter or a digit, and ends in
 * `.tar.zst`; what else lies in a store is not ours and not seen. Blocking; one
 * thread a store.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/archive/archive.h"
#include "common/base/cleanup.h"

struct error;
struct http;
struct progress;
struct store;
struct stream;
struct string_list;

struct asset {
	char *name;
	uint64_t size_bytes;
	/** Seconds since the epoch. */
	int64_t created;
	/** SHA-256, or "" where the store does not know it. */
	char digest[DIGEST_TEXT_SIZE];
	/** Where a person can download it; a file's path in a directory. */
	char *url;
	/** The store's own key; 0 in a directory. */
	uint64_t id;
	/** What people are shown in place of the name; NULL for none. */
	char *label;
	/** An upload that has not ended, or never will; not in store_list(). */
	bool is_partial;
};

struct asset_list {
	struct asset *items;
	size_t count;
};

void asset_list_deinit(struct asset_list *list);

#define _cleanup_asset_list_ _cleanup_(asset_list_deinit)

/** The asset of this name, NULL if there is none. */
const struct asset *asset_list_find(const struct asset_list *list,
				    const char *name);

/**
 * Read a store's name and make the object. Touches neither network nor disk.
 * For GitHub, GITHUB_API_URL says where its API is, and the token comes from
 * GITHUB_TOKEN or GH_TOKEN.
 *
 * @param[in] http For stores on the network; borrowed for the store's life.
 * @return ERROR_USAGE if the name is malformed; the message shows the forms.
 */
_must_check_ struct error *store_create(const char *name, struct http *http,
					struct store **ret);
void store_destroy(struct store *store);

DEFINE_CLEANUP(store, struct store *, store_destroy)
#define _cleanup_store_ _cleanup_(cleanup_store)

/** Of a store's name, the path of one that is a directory; NULL for another. */
const char *store_directory_path(const char *name);

/** As it was given to store_create(). */
const char *store_name(const struct store *store);

/** `OWNER/REPO`; NULL for a store that is on this machine. */
const char *store_repository(const struct store *store);

/**
 * Every whole asset, in order of name, whatever their number. A store that
 * nothing has been put in yet is empty; that is no error. On GitHub, this is
 * one request.
 */
_must_check_ struct error *store_list(struct store *store,
				      struct asset_list *ret);

/**
 * Open an asset's bytes (archive.h). A download resumes after a broken
 * connection. One stream a store at a time; close it before the store.
 */
_must_check_ struct error *
store_open(struct store *store, const struct asset *asset, struct stream **ret);

/**
 * Publish a local file as an asset under the last part of its path.
 *
 * Idempotent: on success the asset is in the store, whole, with the digest of
 * the local file, whatever an earlier run that died left behind. A GitHub
 * release that is not there yet is created.
 *
 * @param[in] label One line for people, to be shown in place of the name; NULL
 * for none. An asset that is there already keeps its own.
 * @param[in] progress May be NULL.
 * @param[out] url_ret May be NULL; free().
 * @return ERROR_EXISTS if the name is taken by a file with another digest;
 * ERROR_USAGE if an asset cannot have the name, or if there is no token.
 */
_must_check_ struct error *store_put(struct store *store, const char *path,
				     const char *label,
				     struct progress *progress, char **url_ret);

/**
 * See, before the work that makes a package, whether store_put() may write:
 * that there is a token for GitHub, which is not asked; that the directory is
 * there, or can be made, and is writable.
 *
 * @return ERROR_USAGE if there is no token.
 */
_must_check_ struct error *store_check_writable(struct store *store);

/**
 * As store_list(), again and again until it has assets that were just put: they
 * may be missing from it for some seconds.
 *
 * @param[in] limit_ms How long to wait; what is listed then may lack some.
 */
_must_check_ struct error *store_list_until(struct store *store,
					    const struct string_list *names,
					    uint64_t limit_ms,
					    struct asset_list *ret);

/**
 * See whether it can be written, by writing: make the GitHub release if it is
 * not there, put a tiny asset, and delete it again. Whoever must not write, and
 * what cannot be written, is named by the error.
 *
 * Idempotent: what a run that died has left behind goes with the next one.
 */
_must_check_ struct error *store_prove(struct store *store);

/** How full a store is. */
struct store_room {
	/** Complete assets of any kind, also those that are not packages. */
	size_t used;
	/** 0 if there is no limit. */
	size_t limit;
};

/** How full the store was at the last store_list(). */
void store_get_room(const struct store *store, struct store_room *ret);

/** Delete an asset. No error if it has gone already. */
_must_check_ struct error *store_delete(struct store *store,
					const struct asset *asset);

enum {
	/**
	 * Most characters of a page: what GitHub takes. It holds for all
	 * stores, as they can be exchanged.
	 */
	STORE_PAGE_MAX = 125000,
};

/**
 * The store's page: of a directory as it is, of a GitHub release as the latest
 * store_list() or store_describe() has seen it; free().
 *
 * @return NULL if there is none.
 */
char *store_page(struct store *store);

/**
 * Replace the store's page: a GitHub release's body, a directory's README.md.
 * It is for people: no list is made from it.
 *
 * @param[in] markdown At most STORE_PAGE_MAX characters.
 */
_must_check_ struct error *store_describe(struct store *store,
					  const char *markdown);

#endif /* COMMON_STORE_STORE_H */
