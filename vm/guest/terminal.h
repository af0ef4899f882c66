// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_TERMINAL_H
#define VM_GUEST_TERMINAL_H

/** @file The host's terminal, while the guest has it. */

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "common/base/cleanup.h"

struct error;

struct terminal {
	/** -1 while it is the host's. */
	int fd;
	struct termios saved;
	/** Polls readable when the size may have changed, or to give up. */
	int signal_fd;
};

#define TERMINAL_INIT                                                          \
	{                                                                      \
		.fd = -1, .signal_fd = -1                                      \
	}

/**
 * Make it raw, for us as long as we are in its foreground. Signals that would
 * end us are held, so that it is restored.
 */
_must_check_ struct error *terminal_take(struct terminal *terminal, int fd);

/** Give it back as it was; nothing if it was not taken, or is another's now. */
void terminal_restore(struct terminal *terminal);

/** Size in characters; 24 by 80 if the terminal does not know. */
struct winsize terminal_size(int fd);

/**
 * Read a signal of signal_fd.
 *
 * @param[out] resized_ret Whether the size may have changed.
 * @return ERROR_CANCELLED if it was one that ends us.
 */
_must_check_ struct error *terminal_signal(struct terminal *terminal,
					   bool *resized_ret);

#endif /* VM_GUEST_TERMINAL_H */
