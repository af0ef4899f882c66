// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_CLI_STREAMS_H
#define COMMON_CLI_STREAMS_H

/** @file A program's stdin, stdout and stderr. */

#include "common/base/cleanup.h"

struct error;

/**
 * Have all three, so that no file that is opened later takes the number of one
 * of them: in place of one that is closed, one that is empty and takes nothing.
 * Who stops reading what we write does not end us (SIGPIPE): there is work that
 * writes nothing.
 */
_must_check_ struct error *streams_open(void);

/**
 * Write what stdout still holds. Failing is an error, as on a full disk; but if
 * nobody reads it any more, this ends the process as SIGPIPE does others.
 */
_must_check_ struct error *streams_flush(void);

#endif /* COMMON_CLI_STREAMS_H */
