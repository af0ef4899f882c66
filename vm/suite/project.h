// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_PROJECT_H
#define VM_SUITE_PROJECT_H

/**
 * @file
 *
 * `vmtest.json` in a user's project: what to run and how, so that the command
 * line need not say it.
 *
 *     {
 *       "command": ["make", "check"],
 *       "kernels": ["6.12", "6.1"],
 *       "memory": "4G",
 *       "timeout": 600,
 *       "environment": { "LANG": "C", "CI": null },
 *       "rw": ["build"],
 *       "fail_on_splat": true
 *     }
 *
 * Every key but `command` stands for an option. Paths are relative to the
 * directory that the file lies in, which is also where its command runs.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

struct error;

/** What a key says, in the words of the command line. */
struct project_setting {
	/** Long name of the option. */
	const char *option;
	/** None for a flag. */
	struct string_list values;
};

struct project {
	/** The directory of the file; NULL if there is none. */
	char *directory;
	/** Empty if it names none. */
	struct string_list command;
	struct project_setting *settings;
	size_t count;
};

void project_deinit(struct project *project);

#define _cleanup_project_ _cleanup_(project_deinit)

/**
 * Read a project's file.
 *
 * @param[in] name For messages.
 * @param[in] directory Where it lies: absolute.
 * @return ERROR_USAGE if it is not JSON, or has a key or a value that it cannot
 * have: the message says which, and what is allowed.
 */
_must_check_ struct error *project_parse(const char *text, const char *name,
					 const char *directory,
					 struct project *ret);

/**
 * Load it.
 *
 * @param[in] path NULL for vmtest.json in the working directory, if it is
 * there: if not, the project is empty.
 */
_must_check_ struct error *project_load(const char *path, struct project *ret);

#endif /* VM_SUITE_PROJECT_H */
