// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_STORE_STORE_INTERNAL_H
#define COMMON_STORE_STORE_INTERNAL_H

/** @file What the kinds of store share, and nobody else may use. */

#include "common/archive/archive.h"
#include "common/base/cleanup.h"
#include "common/store/store.h"

struct error;

/** A kind of store. The functions are those of store.h, arguments checked. */
struct store_operations {
	/** What its names begin with, and what they look like. */
	const char *prefix;
	const char *form;
	/** @param[in] location The name without the prefix. */
	struct error *(*create)(const char *location, struct http *http,
				struct store **ret);
	void (*destroy)(struct store *store);
	/** In any order. */
	struct error *(*list)(struct store *store, struct asset_list *ret);
	struct error *(*open)(struct store *store, const struct asset *asset,
			      struct stream **ret);
	/** @param[in] name The last part of @p path. */
	struct error *(*put)(struct store *store, const char *path,
			     const char *name, const char *label,
			     struct progress *progress, char **url_ret);
	struct error *(*check_writable)(struct store *store);
	struct error *(*delete)(struct store *store, const struct asset *asset);
	/** Most files of whatever kind; 0 if there is no limit. */
	size_t limit;
	char *(*page)(struct store *store);
	struct error *(*describe)(struct store *store, const char *markdown);
	/** NULL for a kind that is on this machine. */
	const char *(*repository)(const struct store *store);
};

/** The first member of each kind's own struct. */
struct store {
	const struct store_operations *operations;
	char *name;
	/** Of a store with a limit: how many files the latest list has seen. */
	size_t used;
};

extern const struct store_operations store_directory_operations;
extern const struct store_operations store_github_operations;

/** Whether a name is one that an asset may have: see store.h. */
bool asset_name_is_valid(const char *name);

void asset_deinit(struct asset *asset);

#define _cleanup_asset_ _cleanup_(asset_deinit)

#endif /* COMMON_STORE_STORE_INTERNAL_H */
