// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_CMD_RUN_H
#define BOT_CMD_RUN_H

/** @file Carrying out a plan: build, boot, publish. */

#include "common/base/cleanup.h"

struct build_results;
struct error;
struct plan;
struct session;

/**
 * Build, boot and publish every item. A kernel that fails is logged, noted in
 * its result, and does not stop the others.
 *
 * A package that was built, but not published, by a run that died is found by
 * what it was made from, and not built again.
 *
 * @param[in] directory Where sources and packages under way lie.
 * @param[in] jobs Compilers at once; 0 for one a processor.
 * @return Only what ends the whole run, such as ERROR_CANCELLED.
 */
_must_check_ struct error *run_plan_items(struct session *session,
					  const struct plan *plan,
					  const char *directory,
					  unsigned int jobs,
					  struct build_results *results);

#endif /* BOT_CMD_RUN_H */
