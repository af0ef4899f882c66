// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_PLAN_H
#define BOT_PLAN_PLAN_H

/** @file What exists, what a store has, and what it lacks. */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/kernel/release.h"

struct asset;
struct asset_list;
struct catalog;
struct catalog_arch;
struct error;
struct failure;
struct failure_list;
struct http;
struct json_t;
struct store;
struct store_room;
struct string_builder;

/** Define NAME_deinit(), of a list whose items own nothing. */
#define DEFINE_LIST_DEINIT(name)                                               \
	static inline void name##_deinit(struct name *list)                    \
	{                                                                      \
		free(list->items);                                             \
		*list = (struct name){ 0 };                                    \
	}

struct series_item {
	struct kernel_version version;
	/** Listed by releases.json, so its tags are not looked at. */
	bool alive;
};

/**
 * Which kernels exist: the newest of each series that the catalog keeps, newest
 * first. kernel.org's `releases.json` is the word on the series that are alive;
 * the tags of its stable repository on all others.
 */
struct series_list {
	struct series_item *items;
	size_t count;
	bool has_latest_stable;
	struct kernel_version latest_stable;
};

DEFINE_LIST_DEINIT(series_list)

#define _cleanup_series_list_ _cleanup_(series_list_deinit)

/**
 * Add what a `releases.json` lists, but for what is no kernel of a series
 * (linux-next). A document of another shape is an error, which begins with @p
 * name.
 */
_must_check_ struct error *
series_list_add_releases(struct series_list *list, const struct catalog *catalog,
			 const char *text, const char *name);

/** Add a tag such as `v5.10.230`; others, and older ones, change nothing. */
void series_list_add_tag(struct series_list *list,
			 const struct catalog *catalog, const char *tag);

/** Ask kernel.org. Blocks on the network. @param[in,out] ret Zeroed. */
_must_check_ struct error *poll_kernels(const struct catalog *catalog,
					struct http *http,
					struct series_list *ret);

struct inventory_item {
	/** Borrowed from the list. */
	const struct asset *asset;
	struct release release;
	char arch[ARCH_SIZE];
};

/** The kernels that a store has: its assets, their names read once. */
struct inventory {
	struct inventory_item *items;
	size_t count;
};

DEFINE_LIST_DEINIT(inventory)

#define _cleanup_inventory_ _cleanup_(inventory_deinit)

/** Assets whose name is no package's are left out. */
void inventory_read(const struct asset_list *assets, struct inventory *ret);

/** Whether the store has a release in any PATCH; the highest there is, or 0. */
bool inventory_has(const struct inventory *inventory,
		   const struct release *release, const char *arch,
		   unsigned int *patch_ret);

enum {
	/** Of each series, flavor and architecture, all stay. */
	KEEP_ALL = INT_MAX,
	/** What a matrix of jobs that has been made may wait for a runner. */
	KEEP_DAYS_DEFAULT = 2,
};

/** Assets that go; borrowed. */
struct prune_list {
	const struct asset **items;
	size_t count;
};

DEFINE_LIST_DEINIT(prune_list)

#define _cleanup_prune_list_ _cleanup_(prune_list_deinit)

/** What stays of each series, flavor and architecture. */
struct prune_rule {
	/** How many, the newest: 0 for none, or KEEP_ALL. */
	size_t keep;
	/**
	 * And what those that were created after this time supersede: a run
	 * that has listed the store may still want it. Seconds since 1970.
	 */
	int64_t before_s;
};

/**
 * The rule of a command, whose options are these.
 *
 * @param[in] keep_days How long a kernel stays once it is superseded.
 */
struct prune_rule prune_rule_from_options(size_t keep, unsigned int keep_days);

/**
 * Of each series, flavor and architecture, all but what the rule keeps. Assets
 * whose name is no package's are left alone.
 *
 * @param[in] selection Only kernels that it selects are considered.
 */
void prune_compute(const struct asset_list *assets, const struct prune_rule *rule,
		   const struct release_selection *selection,
		   struct prune_list *ret);

/**
 * Choose the assets that have to go before so many more fit into the store: as
 * few as will do, the oldest of those that are superseded.
 *
 * @return An error, which counts, if all of those are not enough.
 */
_must_check_ struct error *prune_make_room(const struct asset_list *assets,
					   const struct store_room *room,
					   size_t planned, size_t keep,
					   struct prune_list *ret);

/** Delete them, saying so. */
_must_check_ struct error *prune_execute(struct store *store,
					 const struct prune_list *list);

/*
 * What the store lacks, as data and as JSON, without effects. An item is
 *
 *     {
 *       "release": "6.12.117-vmtest1.0tiny",
 *       "version": "6.12.117",
 *       "series": "6.12",
 *       "arch": "x86_64",
 *       "flavor": "tiny"
 *     }
 *
 * and `{"include": [ITEM...]}` is what GitHub Actions makes jobs from.
 */

/** What was asked for. */
struct plan_selection {
	/** No architectures means those that the catalog switches on. */
	struct release_selection wanted;
	/** Only kernel.org's newest stable kernel. */
	bool latest_stable;
	/** Also build what the store has, under the next PATCH of its name. */
	bool rebuild;
	/** Also build what has failed and waits for its next try. */
	bool retry;
	/** Most items; 0 for no limit. */
	unsigned int limit;
	/** What has failed so far; NULL for nothing. */
	const struct failure_list *failures;
	/** Seconds since 1970. */
	int64_t now_s;
};

/** One package to build. */
struct plan_item {
	struct release release;
	char release_text[RELEASE_TEXT_SIZE];
	const struct catalog_arch *arch;
};

/** Newest version first. */
struct plan {
	struct plan_item *items;
	size_t count;
	/** How many more there would be without the limit. */
	size_t left_out;
	/** Of what was asked for, how many the store has already. */
	size_t stored;
	/** Why the catalog has not all that was asked for; a line each. */
	struct string_list off;
	/** Of what was asked for, what has failed and waits; borrowed. */
	struct {
		const struct failure **items;
		size_t count;
	} waiting;
};

void plan_deinit(struct plan *plan);

#define _cleanup_plan_ _cleanup_(plan_deinit)

/**
 * Compare what exists with what the store has.
 *
 * @return ERROR_USAGE if a pattern means nothing.
 */
_must_check_ struct error *plan_compute(const struct catalog *catalog,
					const struct series_list *kernels,
					const struct asset_list *assets,
					const struct plan_selection *selection,
					struct plan *ret);

/**
 * Keep what is made in another way, by options, patches or compilers, than with
 * an earlier catalog.
 */
_must_check_ struct error *plan_keep_changed(struct plan *plan,
					     const struct catalog *catalog,
					     const struct catalog *earlier);

/** Keep so many, of the newest series and of the oldest; 0 for all. */
void plan_keep_ends(struct plan *plan, size_t limit);

enum {
	/** GitHub Actions makes at most so many jobs of a matrix. */
	PLAN_MATRIX_LIMIT = 256,
};

/** An item, as above. @return A reference that the caller owns. */
struct json_t *plan_release_json(const struct release *release, const char *arch);

/**
 * Likewise for what failed, with "failed" (the phase), "failures" (how many
 * times) and "not_before" (the day of the next try) too.
 */
struct json_t *plan_failure_json(const struct failure *failure);

/** The items as an array. @return A reference that the caller owns. */
struct json_t *plan_json(const struct plan *plan);

/**
 * The items, for plan_parse(): as a matrix, on one line, or as a document that
 * has "left_out" too; free().
 */
char *plan_format(const struct plan *plan, bool is_matrix);

/** A matrix of the sources, `{"version": …}`, each once; free(). */
char *plan_versions_format(const struct plan *plan);

/**
 * Read a plan that another job has made: its document, or its matrix.
 *
 * @param[in] name For messages.
 * @return ERROR_USAGE if it is neither, or the catalog has no such
 * architecture.
 */
_must_check_ struct error *plan_parse(const struct catalog *catalog,
				      const char *text, const char *name,
				      struct plan *ret);

/**
 * Append, in Markdown, a list of what is built for some kernels only, or not
 * at all: for which, and why.
 */
void plan_append_bounds(struct string_builder *sb, const struct catalog *catalog);

/**
 * A plan for people, in Markdown: a row for each series that exists or is in
 * the store, newest first, and a column for each architecture with the flavors
 * that the store lacks; free().
 *
 * @param[in] limit_bytes Rows beyond are left out.
 */
char *plan_summary_format(const struct catalog *catalog,
			  const struct series_list *kernels,
			  const struct asset_list *assets,
			  const struct plan *plan, const char *store_name,
			  size_t limit_bytes);

#endif /* BOT_PLAN_PLAN_H */
