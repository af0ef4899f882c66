// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_REPORT_ISSUE_TEXT_H
#define BOT_REPORT_ISSUE_TEXT_H

/**
 * @file
 *
 * What the issue of a series says. It is known by its first line, which GitHub
 * does not show, whatever people make of its title and its text.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct error;
struct kernel_version;
struct verdict_list;

/** The label of all of them. */
#define ISSUE_LABEL "vmtest"

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

#endif /* BOT_REPORT_ISSUE_TEXT_H */
