// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_CMD_VM_SUITE_H
#define VM_CMD_VM_SUITE_H

/**
 * @file
 *
 * What commands that run one command under many kernels share: how they begin,
 * and what they say of it, to people and to GitHub Actions if it runs them.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "vm/cmd/vm_commands.h"
#include "vm/suite/project.h"
#include "vm/suite/suite.h"
#include "vm/suite/suite_report.h"

struct error;

/** Of `test` and `bisect`. */
struct suite_options {
	struct run_options guest;
	bool all_kernels;
	bool list;
	unsigned int jobs;
	const char *junit;
	const char *log_directory;
	const char *project;
};

/** Those that both have, besides those of a guest. */
extern const struct command_option suite_option_table[];

/** A command, its kernels, and how to run and to show it. */
struct suite_setup {
	struct command_context *context;
	struct project project;
	struct arch_list archs;
	struct suite suite;
	struct suite_run_options run;
	/** What is run, as one would type it. */
	char *command;
	/** In groups where stdout is for workflow commands, too. */
	enum suite_view_kind view;
};

void suite_setup_deinit(struct suite_setup *setup);

#define _cleanup_suite_setup_ _cleanup_(suite_setup_deinit)

/**
 * Take the project's file into account, check the options, and choose the
 * kernels; then, unless they are only to be listed, make the directory of logs
 * and all else that is needed to run. On the network, if a pattern may mean a
 * kernel of the store.
 *
 * @param[in] context Of a command whose options are a struct suite_options.
 * @param[in] fallback Installed file (data_path()) to take for the project's if
 * there is none, and no command either; NULL for none.
 */
_must_check_ struct error *suite_setup_load(struct suite_setup *setup,
					    struct command_context *context,
					    enum suite_choice choice,
					    const char *fallback);

/** Read the ends of the failures' logs; "" for the others. */
void suite_read_logs(const struct suite *suite, struct string_list *ret);

/**
 * In a workflow, append a suite to the step's summary, as much as there is room
 * for.
 *
 * @param[in] text A sentence on the whole; NULL for none.
 * @param[in] logs Of suite_read_logs().
 */
_must_check_ struct error *suite_write_summary(const struct suite_setup *setup,
					       const char *text,
					       const struct suite *suite,
					       const struct string_list *logs);

#endif /* VM_CMD_VM_SUITE_H */
