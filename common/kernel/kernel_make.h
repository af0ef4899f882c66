// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_KERNEL_MAKE_H
#define COMMON_KERNEL_KERNEL_MAKE_H

/**
 * @file
 *
 * make, run for a kernel's tree or for an external module: without what the
 * environment holds for other builds, with the architecture's compiler (through
 * ccache where it is installed), and with all output in a log file.
 */

#include "common/base/cleanup.h"

struct catalog_arch;
struct compiler;
struct error;
struct progress;
struct string_list;

/** Where the output goes; the descriptor is the caller's. */
struct kernel_make_log {
	/** For messages; NULL if the output is not kept. */
	const char *path;
	int fd;
};

/** Add make's variables for an architecture and its compiler. */
void kernel_make_add_compiler(struct string_list *arguments,
			      const struct catalog_arch *arch,
			      const struct compiler *compiler);

/** @return ERROR_USAGE if make cannot cope with the path in its variables. */
_must_check_ struct error *kernel_make_check_path(const char *path);

/**
 * Run make until all that it started has ended. Blocks; is killed by an
 * interrupt.
 *
 * @param[in] arguments The program first.
 * @param[in] progress Is told of each file that is compiled; may be NULL.
 * @param[out] missing_ret The first line of the output that says 'No such
 * file', NULL if none does; free(). May be NULL.
 * @return An error that has the last lines of the output logged before it.
 */
_must_check_ struct error *kernel_make_run(const struct string_list *arguments,
					   const struct kernel_make_log *log,
					   struct progress *progress,
					   char **missing_ret);

struct kernel_make_module {
	const struct catalog_arch *arch;
	const struct compiler *compiler;
	/** The package's build directory. */
	const char *kernel;
	/** The module's directory, absolute. */
	const char *module;
	/** More for make, such as variables; ended by NULL. May be NULL. */
	const char *const *arguments;
	/** Is told of each file that is compiled; may be NULL. */
	struct progress *progress;
};

/**
 * Build an external module as a user of a package does: in a package's build
 * directory, with nothing but the architecture and the compiler given.
 *
 * @return An error also where make succeeds but some tool says 'No such file':
 * then the package, or the module's source, lacks something that make does not
 * insist on.
 */
_must_check_ struct error *
kernel_make_module(const struct kernel_make_module *options,
		   const struct kernel_make_log *log);

#endif /* COMMON_KERNEL_KERNEL_MAKE_H */
