// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_POLL_H
#define BOT_PLAN_POLL_H

/**
 * @file
 *
 * Which kernels exist: the newest of each series that the catalog keeps.
 * kernel.org's `releases.json` is the word on the series that are alive; the
 * tags of its stable repository on all others.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/kernel/version.h"

struct catalog;
struct error;
struct http;

struct series_item {
	struct kernel_version version;
	/** Listed by releases.json, so its tags are not looked at. */
	bool alive;
};

/** Newest first; one item a series. */
struct series_list {
	struct series_item *items;
	size_t count;
	bool has_latest_stable;
	struct kernel_version latest_stable;
};

void series_list_deinit(struct series_list *list);

#define _cleanup_series_list_ _cleanup_(series_list_deinit)

/**
 * Add what a `releases.json` lists. Entries that are no kernel of a series
 * (linux-next) are passed over; a document of another shape is an error.
 *
 * @param[in] name Where the text comes from, for messages.
 */
_must_check_ struct error *
series_list_add_releases(struct series_list *list, const struct catalog *catalog,
			 const char *text, const char *name);

/** Add a tag such as `v5.10.230`; others, and older ones, change nothing. */
void series_list_add_tag(struct series_list *list,
			 const struct catalog *catalog, const char *tag);

/** Ask kernel.org. Blocks on the network. */
_must_check_ struct error *poll_kernels(const struct catalog *catalog,
					struct http *http,
					struct series_list *ret);

#endif /* BOT_PLAN_POLL_H */
