// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_REPORT_ISSUE_H
#define BOT_REPORT_ISSUE_H

/** @file One issue for each series whose kernels cannot be made. */

#include "common/base/cleanup.h"

struct error;
struct github;
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

#endif /* BOT_REPORT_ISSUE_H */
