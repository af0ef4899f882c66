// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_LIMITS_H
#define COMMON_LIMITS_H

/** @file How patient the user is with networks. */

#include <stdint.h>

#include "common/cleanup.h"

struct error;

struct limits {
	/** How long to go on asking a server that fails; 0: ask once. */
	uint64_t retry_ms;
	/** A transfer that brings nothing for so long is broken. */
	uint64_t stall_ms;
};

/**
 * VMTEST_RETRY_SECONDS and VMTEST_STALL_SECONDS, or five minutes and one.
 *
 * @return ERROR_USAGE if one of them is set to something else than a number.
 */
_must_check_ struct error *limits_read(struct limits *ret);

#endif /* COMMON_LIMITS_H */
