// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_CMD_SESSION_H
#define BOT_CMD_SESSION_H

/** @file What the bot's commands work with: kernel.org, a store and its page. */

#include "bot/plan/plan.h"
#include "common/base/cleanup.h"
#include "common/cli/command.h"
#include "common/store/store.h"

struct error;
struct plan;
struct plan_selection;
struct prune_list;

/** What they know. */
struct session {
	/** Has the catalog, the client and the store. */
	struct command_context *context;
	/** Filled by session_plan() and session_list(). */
	struct series_list kernels;
	struct asset_list assets;
	/** How many assets session_prune() has deleted. */
	size_t pruned;
};

/**
 * The repository whose workflow runs the bot, which so is the bot's own; NULL
 * outside of GitHub Actions.
 */
const char *session_repository(void);

/** In a workflow, hides the token in what the step prints. */
struct session session_open(struct command_context *context);
void session_deinit(struct session *session);

#define _cleanup_session_ _cleanup_(session_deinit)

/** Ask the store what it has, again if it was asked before. */
_must_check_ struct error *session_list(struct session *session);

/**
 * Ask kernel.org and the store, plan, and say on stderr what the plan leaves
 * out, or that there is nothing to do.
 */
_must_check_ struct error *session_plan(struct session *session,
					const struct plan_selection *selection,
					struct plan *ret);

/**
 * Choose what of the store's assets has to go before a plan fits into it, and
 * say how many.
 *
 * @param[in] keep How many of each series, flavor and architecture stay.
 * @return An error if the plan does not fit.
 */
_must_check_ struct error *session_make_room(const struct session *session,
					     const struct plan *plan,
					     size_t keep, struct prune_list *ret);

/**
 * Delete what newer assets of the store, which was just listed, supersede.
 *
 * @param[in] keep 0 to delete nothing.
 */
_must_check_ struct error *session_prune(struct session *session, size_t keep);

/** Write a plan to stdout, a line an item: its release and architecture. */
void session_print_plan(const struct plan *plan);

/** Of commands whose options begin with a struct plan_selection. */
extern const struct command_option selection_option_table[];

/** What such a command plans for; the common options are added. */
struct plan_selection session_selection(const struct command_context *context);

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

#endif /* BOT_CMD_SESSION_H */
