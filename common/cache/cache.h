// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_CACHE_CACHE_H
#define COMMON_CACHE_CACHE_H

/**
 * @file
 *
 * Directories that take long to make and are kept, by their paths.
 *
 * Whoever uses an entry holds a shared lock (flock(2)) on its directory, so it
 * is not deleted. A new entry is made as `.partial.NAME` beside it, under an
 * exclusive lock on that directory, and renamed when whole; others who want it
 * wait, and use it. An entry is deleted by renaming it to
 * `.vmtest-deleted.XXXXXX` first. So a directory with an entry's name is always
 * whole, even after a run was killed, and there are no lock files. A name must
 * identify everything that the contents depend on.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/cleanup.h"

struct error;
struct string_list;

/** An entry in use. */
struct cache_entry {
	char *path;
	int fd;
	/** Whether cache_get() has just made it. */
	bool made;
};

/** Stop using an entry; NULL allowed. */
void cache_release(struct cache_entry *entry);

DEFINE_CLEANUP(cache_entry, struct cache_entry *, cache_release)
#define _cleanup_cache_entry_ _cleanup_(cleanup_cache_entry)

/**
 * Use a directory, which need not be an entry. Not all file systems have locks:
 * where there are none, nothing is evicted either.
 *
 * @param[out] ret NULL if it is not there, or about to be deleted.
 * @return ERROR_CANCELLED if interrupted while it is renamed.
 */
_must_check_ struct error *cache_hold(const char *path, struct cache_entry **ret);

/** Note that an entry was used now: its time of modification tells. */
void cache_touch(const struct cache_entry *entry);

/**
 * Check that nobody else can change what is kept in a directory: compilers and
 * makefiles are run from there. Nothing need be there.
 *
 * @param[in] caller He and root may own it.
 * @return ERROR_USAGE
 */
_must_check_ struct error *cache_check(const char *directory, uid_t caller);

/** How to check and make an entry. */
struct cache_recipe {
	/**
	 * Whether an existing entry can be used; NULL if any can.
	 *
	 * @param[out] good_ret Initially true.
	 */
	struct error *(*check)(void *arg, const char *path, bool *good_ret);
	/** Fill a directory, which is empty unless keeps_partial. */
	struct error *(*make)(void *arg, const char *path);
	void *arg;
	/** Make it again, whatever is there. */
	bool force;
	/** Continue with what a failed or killed run has left. */
	bool keeps_partial;
};

/**
 * Use an entry, and make it if it is not there. Blocks while others make it. An
 * entry that check rejects is replaced; those who use it may continue.
 *
 * @return The error of check or make; ERROR_CANCELLED.
 */
_must_check_ struct error *cache_get(const char *path,
				     const struct cache_recipe *recipe,
				     struct cache_entry **ret);

/**
 * Rename a directory, atomically where the file system can, replacing another
 * one of that name. Those who use the replaced one may continue.
 */
_must_check_ struct error *cache_replace(const char *from, const char *to);

/** Delete a directory whose lock the caller has (file.h). */
_must_check_ struct error *cache_discard(const char *path);

/**
 * Delete an entry, or a file, unless it is in use.
 *
 * @param[in] dry_run Only find out.
 * @param[out] gone_ret False if it is in use.
 */
_must_check_ struct error *cache_evict(const char *path, bool dry_run,
				       bool *gone_ret);

/**
 * Evict all that is in a directory of entries, and not in use.
 *
 * @param[in] except A name that stays; may be NULL.
 */
_must_check_ struct error *cache_evict_all(const char *parent,
					   const char *except);

/** Delete what dead runs have left in a directory of entries. */
_must_check_ struct error *cache_clean(const char *parent, bool keeps_partial);

/* What is in the cache, and how much of it stays. */

/** Where entries lie, as globs (glob(3)) below the cache's directory. */
struct cache_kind {
	const char *name;
	const char *parents;
	/** Of an entry's name. */
	const char *pattern;
};

struct cache_item {
	/** Its kind's name. */
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
					   const struct cache_kind *kinds,
					   size_t kind_count,
					   struct cache_list *ret);

uint64_t cache_list_size(const struct cache_list *list);

struct cache_limits {
	/** Entries not used since then are evicted; 0 for no limit. */
	int64_t oldest_s;
	/** Evict least recently used entries until this size is left. */
	bool has_size;
	uint64_t size_bytes;
};

/**
 * Evict what the limits exclude, and nobody uses.
 *
 * @param[in,out] list Evicted items are removed from it.
 * @param[in] dry_run Only say which.
 * @param[in,out] deleted_ret Paths are added; those in it count as deleted.
 */
_must_check_ struct error *cache_list_limit(struct cache_list *list,
					    const struct cache_limits *limits,
					    bool dry_run,
					    struct string_list *deleted_ret);

/**
 * Delete what dead runs have left in directories of entries.
 *
 * @param[in] parents A glob, as of a kind.
 * @param[in] keeps_partial The name of one where entries that are partly made
 * stay; may be NULL.
 */
_must_check_ struct error *cache_clean_all(const char *directory,
					   const char *parents,
					   const char *keeps_partial);

#endif /* COMMON_CACHE_CACHE_H */
