// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_REPORT_REPORT_H
#define BOT_REPORT_REPORT_H

/**
 * @file
 *
 * What became of the kernels of a plan: the results of their builds, compared
 * with what the store has if other jobs built them; and reports of that.
 */

#include <stdbool.h>
#include <stddef.h>

#include "bot/plan/failure.h"
#include "bot/plan/plan.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "kbuild/phase.h"

struct build_result;
struct build_results;
struct github;
struct store;
struct table;

enum verdict_kind {
	VERDICT_FAILED,
	/**
	 * Somebody else has published it, or kernel.org does not have its
	 * source yet.
	 */
	VERDICT_SKIPPED,
	VERDICT_BUILT,
	VERDICT_KIND_COUNT,
};

/** `failed`, `skipped`, `built`. */
extern const char *const verdict_kind_names[VERDICT_KIND_COUNT];

/** All is borrowed from what it was computed from. */
struct verdict {
	const struct plan_item *item;
	enum verdict_kind kind;
	/**
	 * Where it failed: a phase of the build, `publish` if the store lacks
	 * what was built, `job` if there is no result. NULL if it did not fail.
	 */
	const char *phase;
	/** One line; "" if it was built. */
	const char *reason;
	/** NULL if there is none. */
	const struct build_result *result;
};

/** In the plan's order. */
struct verdict_list {
	struct verdict *items;
	size_t count;
	size_t counts[VERDICT_KIND_COUNT];
};

DEFINE_LIST_DEINIT(verdict_list)

#define _cleanup_verdict_list_ _cleanup_(verdict_list_deinit)

/** Whether it is about a kernel of a version's series. */
bool verdict_is_of_series(const struct verdict *verdict,
			  const struct kernel_version *version);

/** @param[in] assets What the store has; NULL if the results are enough. */
void verdicts_compute(const struct plan *plan,
		      const struct build_results *results,
		      const struct asset_list *assets, struct verdict_list *ret);

/** `6.12.117-vmtest1.0tiny for x86_64: build failed`; free(). */
char *report_title(const struct plan_item *item, const char *phase);

/**
 * Log why a kernel was not built, where that does not end the command; in a
 * workflow, as an annotation too.
 */
void report_failure(const struct plan_item *item,
		    const struct build_result *result);

/**
 * Make a table with a row for each, the failures first, and the time that each
 * phase took; the ends of their logs fold below it.
 *
 * @param[out] ret Borrows nothing from the verdicts.
 */
void report_verdicts(const struct verdict_list *verdicts, struct table *ret);

/**
 * The summary of a step in Markdown: how many there are of each kind, and that
 * table; free().
 *
 * @param[in] left_out Kernels that the plan left for another time.
 * @param[in] limit_bytes At most this many, unless the head has more.
 */
char *report_summary(const struct verdict_list *verdicts, size_t left_out,
		     size_t limit_bytes);

enum {
	/** Characters that GitHub takes of an issue. */
	ISSUE_BODY_LIMIT = 65536,
};

struct issue {
	uint64_t number;
	/** NULL if it has none. */
	char *body;
	/** GitHub lists these among the issues. */
	bool is_pull_request;
};

struct issue_list {
	struct issue *items;
	size_t count;
};

void issue_list_deinit(struct issue_list *list);

#define _cleanup_issue_list_ _cleanup_(issue_list_deinit)

/** Reads a `struct issue`, which must be freed on failure, too. */
_must_check_ value_reader issue_read;

/** What issues are about; all is borrowed. */
struct issue_facts {
	/** Any release of the repository. */
	const struct github *github;
	const struct catalog *catalog;
	/** NULL once it did not answer. */
	struct store *store;
	/** What it has now. */
	const struct asset_list *assets;
	const struct verdict_list *verdicts;
	/** With those of this run. */
	const struct failure_list *failures;
	/** What the issues link to; NULL for nothing. */
	const char *run_url;
};

/**
 * Keep one issue for each series whose kernels fail. An issue is found by its
 * first line, so its title and the rest of its text may be edited.
 *
 * Open an issue for each series of which a kernel failed by itself and for the
 * second time in a row, or bring the one that is open up to date if any failed;
 * close that of each series of which no kernel has failed and the store has all
 * of the newest version, planned or not, and say so in a comment. All others
 * are left alone. Blocks.
 *
 * Idempotent: a lost answer makes no second issue or comment. Whether the
 * comment arrived is then not known, which is no error.
 *
 * @return ERROR_NOT_FOUND if issues are off.
 */
_must_check_ struct error *issues_update(struct issue_facts *facts);

/** Whether an issue of this text is the one of a version's series. */
bool issue_is_about(const char *body, const struct kernel_version *version);

/** `Linux 6.12: builds fail`; free(). */
char *issue_title(const struct kernel_version *version);

/**
 * What fails: of each kernel what failed first, the last package that worked
 * and what is new since then, which the store is asked for; when it is tried
 * again; the errors, and as many of the logs' ends as fit; free().
 *
 * @param[in] version Any of the series.
 */
char *issue_body(struct issue_facts *facts, const struct kernel_version *version);

/** The comment that closes the issue; free(). */
char *issue_closing(const struct kernel_version *version, const char *run_url);

/**
 * The store's page, in Markdown: what a person who opens the GitHub release
 * reads. A row for each series and architecture, newest first, and a column for
 * each flavor with the newest version, its size and date, and a link. Links of
 * the last rows are left out, and then rows, where there would be more than
 * STORE_PAGE_MAX characters. Above it is what has failed and waits for its next
 * try, also for failures_read(). free()
 *
 * @param[in] succeeded The day of the last run in which nothing failed; "" if
 * there was none.
 */
char *page_format(const struct catalog *catalog, const struct asset_list *assets,
		  const struct failure_list *failures, const char *succeeded,
		  const char *store_name);

/**
 * Read that day from a page.
 *
 * @param[in] page NULL has none.
 */
void page_read_success(const char *page, char day_ret[static DAY_SIZE]);

#endif /* BOT_REPORT_REPORT_H */
