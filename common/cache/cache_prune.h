// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_CACHE_CACHE_PRUNE_H
#define COMMON_CACHE_CACHE_PRUNE_H

/** @file What is in the cache, and how much of it stays. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct error;
struct string_list;

struct cache_item {
	/** Such as "kernels". */
	const char *kind;
	char *path;
	/** What it takes on disk. */
	uint64_t size_bytes;
	/** When it was used last, in seconds of time(2). */
	int64_t used_s;
};

struct cache_list {
	/** Each kind together. */
	struct cache_item *items;
	size_t count;
};

void cache_list_deinit(struct cache_list *list);

#define _cleanup_cache_list_ _cleanup_(cache_list_deinit)

/** Look at all entries. @return ERROR_CANCELLED. */
_must_check_ struct error *cache_list_load(const char *directory,
					   struct cache_list *ret);

uint64_t cache_list_size(const struct cache_list *list);

struct cache_limits {
	/** What was not used since goes; 0 for none. */
	int64_t oldest_s;
	/** What was not used for longest goes, until no more than this is left. */
	bool has_size;
	uint64_t size_bytes;
};

/**
 * Evict what the limits exclude, and nobody uses.
 *
 * @param[in,out] list What goes is taken from it.
 * @param[in] dry_run Only say which.
 * @param[in,out] deleted_ret Paths; what is there already has gone.
 */
_must_check_ struct error *cache_list_limit(struct cache_list *list,
					    const struct cache_limits *limits,
					    bool dry_run,
					    struct string_list *deleted_ret);

/** Delete what dead runs have left anywhere in the cache. */
_must_check_ struct error *cache_clean_all(const char *directory);

#endif /* COMMON_CACHE_CACHE_PRUNE_H */
