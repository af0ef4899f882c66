// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_REPORT_ISSUE_H
#define BOT_REPORT_ISSUE_H

/**
 * @file
 *
 * One issue for each series whose kernels cannot be made. It is known by its
 * first line, whatever people make of its title and its text.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct error;
struct github;
struct kernel_version;
struct verdict_list;

/**
 * Open an issue for each series of which a kernel failed, or bring the one that
 * is open up to date; close that of each series of which all were built, with a
 * comment. Series without a verdict, and those of which some were skipped but
 * none failed, are left alone. Blocks.
 *
 * Idempotent: a lost answer does not make a second issue or comment.
 *
 * @param[in] github Any release of the repository.
 * @param[in] run_url What the issues link to; NULL for nothing.
 */
_must_check_ struct error *issues_update(const struct github *github,
					 const struct verdict_list *verdicts,
					 const char *run_url);

/** Whether an issue of this text is the one of a version's series. */
bool issue_is_about(const char *body, const struct kernel_version *version);

/** `Linux 6.12: kernels cannot be made`; free(). */
char *issue_title(const struct kernel_version *version);

/**
 * What fails, with the errors and as many of the logs' ends as fit; free().
 *
 * @param[in] version Any of the series.
 * @param[in] run_url Of the workflow's run; NULL if there is none.
 */
char *issue_body(const struct verdict_list *verdicts,
		 const struct kernel_version *version, const char *run_url);

/** What is said when all have been built; free(). */
char *issue_closing(const struct verdict_list *verdicts,
		    const struct kernel_version *version, const char *run_url);

#endif /* BOT_REPORT_ISSUE_H */
