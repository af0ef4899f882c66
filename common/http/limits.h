// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_HTTP_LIMITS_H
#define COMMON_HTTP_LIMITS_H

/** @file How patient the user is. */

#include <stdint.h>

#include "common/base/cleanup.h"

struct error;

struct limits {
	/** How long to go on asking a server that fails; 0: ask once. */
	uint64_t retry_ms;
	/** A transfer that brings nothing for so long is broken. */
	uint64_t stall_ms;
	/** The longest that a log may be silent while something is at work. */
	uint64_t silence_ms;
};

/**
 * VMTEST_RETRY_SECONDS, VMTEST_STALL_SECONDS and VMTEST_SILENCE_SECONDS, or
 * five minutes, one, and half a one.
 *
 * @return ERROR_USAGE if one of them is set to something else than a number.
 */
_must_check_ struct error *limits_read(struct limits *ret);

#endif /* COMMON_HTTP_LIMITS_H */
