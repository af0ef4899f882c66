// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_CONFIG_BOUNDS_H
#define KBUILD_CONFIG_BOUNDS_H

/**
 * @file
 *
 * Which kernels something in configs/ is for: terms separated by blanks, all of
 * which must hold. `>=6.1` and `<6.8` compare with the kernel's version, of which
 * a release candidate counts as the version that it leads to; `!s390x` excludes
 * an architecture; of architectures without `!`, any may hold. No terms: all.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct catalog;
struct catalog_arch;
struct error;
struct kernel_version;

struct bounds_target {
	/** Knows the architectures, so that a misspelt one is an error. */
	const struct catalog *catalog;
	const struct catalog_arch *arch;
	/** NULL for any version. */
	const struct kernel_version *version;
};

/** @return ERROR_USAGE, quoting the term that is wrong. */
_must_check_ struct error *
bounds_hold(const char *bounds, const struct bounds_target *target, bool *ret);

#endif /* KBUILD_CONFIG_BOUNDS_H */
