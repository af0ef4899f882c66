// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_BUILD_BUILD_RESULTS_H
#define BOT_BUILD_BUILD_RESULTS_H

/** @file The results of many builds, each of another job. */

#include <stddef.h>

#include "bot/build/build_result.h"
#include "common/base/cleanup.h"

struct error;

struct build_results {
	struct build_result *items;
	size_t count;
};

void build_results_deinit(struct build_results *results);

#define _cleanup_build_results_ _cleanup_(build_results_deinit)

/**
 * Read every `*.json` below a folder, at any depth. One that cannot be read is
 * logged, and passed over: what it would say is then not known. So is a folder
 * that is not there, as where no job came so far as to leave a result.
 */
_must_check_ struct error *build_results_load(const char *directory,
					      struct build_results *ret);

/**
 * The result of a release for an architecture; NULL if there is none. Of
 * several, as where a job was run again, one that was built.
 */
const struct build_result *build_results_find(const struct build_results *results,
					      const struct release *release,
					      const char *arch);

#endif /* BOT_BUILD_BUILD_RESULTS_H */
