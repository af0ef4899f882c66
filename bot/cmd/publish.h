// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_CMD_PUBLISH_H
#define BOT_CMD_PUBLISH_H

/** @file Packages and the page that lists them, on their way to the store. */

#include "common/base/cleanup.h"

struct error;
struct session;
struct store;

/**
 * Publish one package, with progress.
 *
 * @param[in] path Its name must be a package's.
 * @param[out] url_ret free().
 */
_must_check_ struct error *publish_package(struct store *store,
					   const char *path, char **url_ret);

/**
 * List the store anew and rewrite its page. If somebody else does so meanwhile,
 * the page may lack what they have published, until it is written again.
 */
_must_check_ struct error *publish_page(struct session *session);

/**
 * Rewrite the page of a store that was just listed: a run that died, or two at
 * once, may have left one that is not true. No token is no error, and others
 * are only warned of.
 */
_must_check_ struct error *publish_repair_page(struct session *session);

#endif /* BOT_CMD_PUBLISH_H */
