// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_CMD_SESSION_H
#define BOT_CMD_SESSION_H

/** @file What a command of the bot works with, opened from its options. */

#include <stdio.h>

#include "bot/plan/poll.h"
#include "common/base/cleanup.h"
#include "common/cli/command.h"
#include "common/store/store.h"

struct catalog;
struct command_context;
struct error;
struct http;
struct plan;
struct plan_selection;
struct prune_list;

struct session {
	struct catalog *catalog;
	struct http *http;
	struct store *store;
	/** Filled by session_plan() and session_list(). */
	struct series_list kernels;
	struct asset_list assets;
};

/**
 * The repository whose workflow runs the bot, which so is the bot's own; NULL
 * outside of GitHub Actions.
 */
const char *session_repository(void);

/** @return ERROR_USAGE if an architecture or a flavor means nothing. */
_must_check_ struct error *session_init(struct session *session,
					const struct command_context *context);
void session_deinit(struct session *session);

#define _cleanup_session_ _cleanup_(session_deinit)

/** Ask the store what it has, again if it was asked before. */
_must_check_ struct error *session_list(struct session *session);

/** Ask kernel.org and the store, and plan. */
_must_check_ struct error *session_plan(struct session *session,
					const struct plan_selection *selection,
					struct plan *ret);

/**
 * Choose what of the store's assets has to go before a plan fits into it, and say
 * how many.
 *
 * @param[in] keep How many of each series, flavor and architecture stay; 0 for 1.
 * @return An error if the plan does not fit.
 */
_must_check_ struct error *session_make_room(const struct session *session,
					     const struct plan *plan,
					     size_t keep, struct prune_list *ret);

/** Write a plan to stdout, a line an item: its release and architecture. */
void session_print_plan(const struct plan *plan);

/** Options of commands that plan; the first member of such a command's own. */
struct selection_options {
	unsigned int limit;
	bool rebuild;
	bool latest_stable;
};

extern const struct command_option selection_option_table[];

/** What a plan is made for: the common options, and selection_options. */
void session_selection(const struct command_context *context,
		       struct plan_selection *ret);

/** Say on stderr what a plan leaves out, or that there is nothing to do. */
void session_report_plan(const struct session *session, const struct plan *plan);

/** Write a jansson document, indented, and forget it. */
_must_check_ struct error *json_print(FILE *file, void *json);

#endif /* BOT_CMD_SESSION_H */
