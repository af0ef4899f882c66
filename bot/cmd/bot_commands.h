// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_CMD_BOT_COMMANDS_H
#define BOT_CMD_BOT_COMMANDS_H

/**
 * @file
 *
 * The commands of vmtest-bot, and what they work with: kernel.org, a store and
 * its page.
 */

#include "bot/plan/failure.h"
#include "bot/plan/plan.h"
#include "common/base/cleanup.h"
#include "common/command/command.h"
#include "common/store/store.h"

struct error;
struct verdict_list;

extern const struct command bot_poll_command;
extern const struct command bot_plan_command;
extern const struct command bot_prepare_command;
extern const struct command bot_run_command;
extern const struct command bot_build_command;
extern const struct command bot_publish_command;
extern const struct command bot_finish_command;
extern const struct command bot_prune_command;
extern const struct command bot_status_command;

/** Starts zeroed but for its context. */
struct session {
	/** Has the catalog, the client and the store. */
	struct command_context *context;
	/** Filled by session_plan(). */
	struct series_list kernels;
	struct plan plan;
	/** What has to go before the plan fits into the store. */
	struct prune_list superseded;
	/** Filled by session_list(). */
	struct asset_list assets;
	bool has_failures;
	struct failure_list failures;
	/** The day of the last run in which nothing failed; "" for none. */
	char succeeded[DAY_SIZE];
};

void session_deinit(struct session *session);

#define _cleanup_session_ _cleanup_(session_deinit)

/**
 * The repository whose workflow runs the bot; NULL outside of GitHub Actions.
 */
const char *session_repository(void);

/** The number of that workflow's run; likewise. */
const char *session_run(void);

/**
 * Ask the store what it has, again if it was asked before, and see in its page
 * what has failed.
 */
_must_check_ struct error *session_list(struct session *session);

/** The same, with the patience of store_list_until(). */
_must_check_ struct error *session_list_until(struct session *session,
					      const struct string_list *names,
					      uint64_t limit_ms);

/** Forget failures of kernels that would now be made in another way, or not at all. */
_must_check_ struct error *session_recall_failures(struct session *session);

/**
 * Add what has failed to the failures of the last session_list(), for
 * session_write_page().
 */
_must_check_ struct error *
session_note_failures(struct session *session,
		      const struct verdict_list *verdicts);

/** Options of commands that plan; theirs begin with a struct plan_selection. */
extern const struct command_option selection_option_table[];

/**
 * Ask kernel.org and the store, plan what these and the common options select,
 * and say on stderr what the plan leaves out, what waits for its next try, or
 * that there is nothing to do.
 *
 * @param[in] limit Most kernels, whatever the options say; 0 for no limit.
 * @param[in] keep How many of each series, flavor and architecture stay where
 * there is not room for all.
 * @param[in] must_fit Whether it is an error, and not only worth a warning, if
 * the plan does not fit into the store.
 */
_must_check_ struct error *session_plan(struct session *session,
					unsigned int limit, size_t keep,
					bool must_fit);

/** Read a plan that another job has made, as of plan_parse(). */
_must_check_ struct error *session_read_plan(struct session *session,
					     const char *path);

/**
 * Write the plan to stdout, a line an item, its release and architecture, or as
 * JSON, which also has what waits for its next try.
 */
_must_check_ struct error *session_print_plan(const struct session *session);

/** Note that in this run nothing has failed, for session_write_page(). */
void session_note_success(struct session *session);

/**
 * Whether there is nothing to build, and the page does not say that today's
 * run has found that.
 */
bool session_is_refresh_due(const struct session *session);

/**
 * Write what became of a plan: to stdout, as a table or JSON, and into the
 * summary of a workflow's step.
 */
_must_check_ struct error *session_report(const struct session *session,
					  const struct verdict_list *verdicts);

/**
 * Delete what newer assets of the store, which was just listed, supersede.
 *
 * @param[in] keep,keep_days As of prune_rule_from_options().
 * @param[out] count_ret How many are to be deleted, also if that fails.
 */
_must_check_ struct error *session_prune(struct session *session, size_t keep,
					 unsigned int keep_days,
					 size_t *count_ret);

/** @return ERROR_USAGE if the file's name is no package's. */
_must_check_ struct error *publish_check_name(const char *path);

/**
 * Publish one package, with progress.
 *
 * @param[in] path Its name has been checked.
 * @param[out] url_ret free().
 */
_must_check_ struct error *publish_package(struct store *store,
					   const char *path, char **url_ret);

/**
 * Rewrite the store's page. If somebody else does so meanwhile, the page may
 * lack what they have published, until it is written again.
 *
 * @param[in] is_changed Whether the store is to be listed anew.
 */
_must_check_ struct error *session_write_page(struct session *session,
					      bool is_changed);

#endif /* BOT_CMD_BOT_COMMANDS_H */
