// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_LIBGIT_H
#define COMMON_KERNEL_LIBGIT_H

/**
 * @file
 *
 * What every user of libgit2 needs: its initialisation and its errors. Only
 * remote.c calls the library itself.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct error;

/**
 * Initialise libgit2 for as long as it is open; counted, thread-safe and cheap
 * when it is open already. Each success needs a libgit_close().
 */
_must_check_ struct error *libgit_open(void);
void libgit_close(void);

/** For a bool that is set once libgit_open() has succeeded. */
static inline void cleanup_libgit(bool *is_open)
{
	if (*is_open)
		libgit_close();
}

#define _cleanup_libgit_ _cleanup_(cleanup_libgit)

/**
 * Make an error of what libgit2 returned and of its last message. ERROR_CANCELLED
 * if one of the signals of interrupt.h has arrived, ERROR_NOT_FOUND for
 * GIT_ENOTFOUND, ERROR_RETRY for a fault of the network, else ERROR_OTHER.
 *
 * @param[in] code Negative.
 */
_must_check_ _printf_(2, 3) struct error *libgit_error(int code,
						       const char *format, ...);

#endif /* COMMON_KERNEL_LIBGIT_H */
