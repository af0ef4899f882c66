// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_LIBGIT_STREAM_H
#define COMMON_KERNEL_LIBGIT_STREAM_H

/**
 * @file
 *
 * The sockets of libgit2, below its TLS: its own wait for ever for a server
 * that says nothing (until 1.7, and from then on unless told otherwise), and
 * hear no signal that is blocked. These give up after the stall limit of
 * limits.h, and end early when interrupted (interrupt.h).
 */

#include "common/base/cleanup.h"

struct error;

/** libgit2 is initialised. Lasts until it is shut down. */
_must_check_ struct error *libgit_stream_register(void);

#endif /* COMMON_KERNEL_LIBGIT_STREAM_H */
