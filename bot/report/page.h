// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_REPORT_PAGE_H
#define BOT_REPORT_PAGE_H

/** @file The store's page: what a person who opens the GitHub release reads. */

struct asset_list;
struct catalog;

/**
 * A Markdown table: a row for each series and architecture, newest first, and a
 * column for each flavor with the newest version, its size and date, and a
 * link. Links of the last rows are left out, and then rows, where there would
 * be more than STORE_PAGE_MAX characters.
 *
 * @param[in] store_name For the example that shows how to use it.
 */
char *page_format(const struct catalog *catalog,
		  const struct asset_list *assets, const char *store_name);

#endif /* BOT_REPORT_PAGE_H */
