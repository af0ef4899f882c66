// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_CMD_BISECT_GIT_H
#define VM_CMD_BISECT_GIT_H

/**
 * @file
 *
 * From two commits of a kernel's repository to the one with which a command
 * begins to fail. Each is built and tested. What is known is kept below
 * --directory, `bisections/DIGEST/`, so that a search that was interrupted, or
 * killed, goes on when the same command is given again.
 */

#include "vm/cmd/vm_commands.h"
#include "vm/suite/bisection.h"

struct bisect_git {
	/** The tree, and how it is built. Borrowed. */
	const struct kernel_source *source;
	/** What the user says; NULL if packages are to tell. */
	const char *good, *bad;
	bool has_log_directory;

	/* The rest is bisect_git_open()'s. */
	struct suite_setup *setup;
	struct bisection git;
	char *directory;
	/** The commits, good and bad, and the flavor; empty if not known yet. */
	struct string_list range;
	unsigned int steps;
	struct cache_entry *entry;
};

void bisect_git_deinit(struct bisect_git *bisect);

#define _cleanup_bisect_git_ _cleanup_(bisect_git_deinit)

/** Find what is known already. @return ERROR_USAGE. */
_must_check_ struct error *bisect_git_open(struct bisect_git *bisect,
					   struct suite_setup *setup);

/** @return ERROR_USAGE if the repository has no such commits. */
_must_check_ struct error *bisect_git_set_range(struct bisect_git *bisect,
						const char *good, const char *bad,
						const char *flavor);

/** Search, and print what is found. Blocks for hours. */
_must_check_ struct error *bisect_git_run(struct bisect_git *bisect);

#endif /* VM_CMD_BISECT_GIT_H */
