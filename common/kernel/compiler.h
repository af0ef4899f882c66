// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_COMPILER_H
#define COMMON_KERNEL_COMPILER_H

/** @file One GCC with its binutils, of this machine or from kernel.org. */

#include <stdbool.h>

#include "common/base/cleanup.h"

struct error;

struct compiler {
	/**
	 * What the names of its binutils begin with, make's CROSS_COMPILE:
	 * `aarch64-linux-gnu-`, a path that ends like it, or "".
	 */
	char *prefix;
	/** The program: `aarch64-linux-gnu-gcc`, `gcc-12`, a path. */
	char *program;
	/** What it says of itself: `12.2.0`; NULL if it is not there. */
	char *version;
	/** Where a downloaded one is or goes; NULL for one that is installed. */
	char *directory;
	/** Where it is downloaded from; NULL for one that is installed. */
	char *url;
};

void compiler_deinit(struct compiler *compiler);

#define _cleanup_compiler_ _cleanup_(compiler_deinit)

/**
 * Ask the program for its version, if there is such a program.
 *
 * @return An error if it does not run.
 */
_must_check_ struct error *compiler_probe(struct compiler *compiler);

/** Compile nothing: all that the compiler consists of must be there and run. */
_must_check_ struct error *compiler_prove(const struct compiler *compiler);

#endif /* COMMON_KERNEL_COMPILER_H */
