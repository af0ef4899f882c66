// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_CMD_SELECTION_H
#define KBUILD_CMD_SELECTION_H

/** @file Which architecture and flavor a command line means. */

#include "common/base/cleanup.h"

struct catalog;
struct catalog_arch;
struct catalog_flavor;
struct common_options;
struct error;

struct selection {
	const struct catalog_arch *arch;
	const struct catalog_flavor *flavor;
};

/**
 * At most one of each may be named; without, it is this machine's architecture
 * and the flavor `default`.
 *
 * @return ERROR_USAGE.
 */
_must_check_ struct error *selection_make(const struct catalog *catalog,
					  const struct common_options *options,
					  struct selection *ret);

#endif /* KBUILD_CMD_SELECTION_H */
