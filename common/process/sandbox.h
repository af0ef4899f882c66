// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_PROCESS_SANDBOX_H
#define COMMON_PROCESS_SANDBOX_H

/**
 * @file
 *
 * Children that are not trusted, such as the programs of a package.
 *
 * One reads what is below `/usr` and some directories besides, what anybody may
 * know of processes in `/proc`, which it cannot list, and changes what is below
 * a single directory, its HOME, TMPDIR below it. It has no sockets, no keys,
 * of our environment only what it can use of PATH, and, if we are root, none of
 * root's rights but that to files. It cannot look at, or from Linux 6.12 on
 * signal, a process that is not in its sandbox; all that it starts ends with
 * it. It has 4 GB for data. Modes, owners and times of files are not protected,
 * which Landlock does not know.
 *
 * Where the kernel has no Landlock (5.13 and later), files are not protected.
 */

#include "common/base/cleanup.h"
#include "common/base/text.h"

struct error;
struct process_options;

struct sandbox {
	/** -1 where the kernel has no Landlock. */
	int ruleset_fd;
	/** What a child is told by its environment. */
	struct string_list environment;
};

void sandbox_deinit(struct sandbox *sandbox);

#define _cleanup_sandbox_ _cleanup_(sandbox_deinit)

/**
 * Make one. Warns, once, if the kernel has no Landlock.
 *
 * @param[in] readable Files and directories; those that are not there are left
 * out.
 * @param[in] directory What the child may change: it exists, and `tmp` in it is
 * made.
 */
_must_check_ struct error *sandbox_init(const struct string_list *readable,
					const char *directory,
					struct sandbox *ret);

/**
 * Have a child run in it, which the options outlive. Its `environment`, if it
 * has one, is replaced: add it to that of the sandbox.
 */
void sandbox_apply(const struct sandbox *sandbox,
		   struct process_options *options);

/**
 * Run a program in a sandbox of its own, and take what it writes to stdout.
 * What it writes to stderr is not shown.
 *
 * @param[in] words The program and its arguments.
 * @param[in] readable, directory As sandbox_init() takes them.
 * @param[out] output_ret As process_capture() gives it; free().
 */
_must_check_ struct error *
sandbox_capture(const struct string_list *words,
		const struct string_list *readable, const char *directory,
		uint64_t timeout_ms, size_t limit_bytes, char **output_ret);

#endif /* COMMON_PROCESS_SANDBOX_H */
