// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_INTERRUPT_H
#define COMMON_BASE_INTERRUPT_H

/**
 * @file
 *
 * SIGINT and SIGTERM.
 *
 * command_main() catches both before anything else. From then on whoever takes
 * long asks interrupt_check() between steps, or polls the file descriptor of
 * interrupt_fd() while it waits, and returns the ERROR_CANCELLED it gets, so
 * that scopes unwind and nothing is left behind. At the end command_main()
 * delivers the signal: the process dies by it as shells and make expect.
 *
 * A second signal ends the process at once, whatever it does.
 */

#include <stdint.h>

#include "common/base/cleanup.h"

struct error;

/** Catch both signals from here on. */
void interrupt_catch(void);

/**
 * Until interrupt_catch() is called again, a signal ends the process at once;
 * so does one that has arrived already. For libraries whose waits cannot be
 * interrupted otherwise.
 */
void interrupt_release(void);

/** @return ERROR_CANCELLED if one of the signals has arrived. */
_must_check_ struct error *interrupt_check(void);

/**
 * A file descriptor that polls readable once a signal has arrived; -1 if there
 * is none to be had. Neither read from it nor close it.
 */
int interrupt_fd(void);

/** Sleep. @return ERROR_CANCELLED, early, if one of the signals arrives. */
_must_check_ struct error *interrupt_sleep(uint64_t duration_ms);

#endif /* COMMON_BASE_INTERRUPT_H */
