// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_CMD_CMD_SUITE_H
#define VM_CMD_CMD_SUITE_H

/** @file What commands that run one command under many kernels start with. */

#include "common/base/cleanup.h"
#include "common/base/string_list.h"
#include "vm/cmd/commands.h"
#include "vm/suite/project.h"
#include "vm/suite/suite.h"
#include "vm/suite/suite_plan.h"
#include "vm/suite/suite_run.h"
#include "vm/suite/suite_view.h"

struct catalog;
struct command_context;
struct error;

/** All that suite_run() needs. */
struct suite_setup {
	struct project project;
	struct catalog *catalog;
	struct arch_list archs;
	/** Where downloaded kernels are. */
	char *directory;
	char *program;
	char *log_directory;
	struct string_list download_options;
	struct string_list module_options;
	struct string_list run_options;
	struct suite suite;
	struct suite_run_options run;
};

void suite_setup_deinit(struct suite_setup *setup);

#define _cleanup_suite_setup_ _cleanup_(suite_setup_deinit)

/**
 * Take the project's file into account, check the options, and choose the
 * kernels. On the network, if a pattern may mean a kernel of the store.
 *
 * @param[in] context Of a command whose options are a struct suite_options.
 * @param[in] fallback Installed file (data_path()) to take for the project's if
 * there is none, and no command either; NULL for none.
 */
_must_check_ struct error *
suite_setup_choose(struct suite_setup *setup,
		   const struct command_context *context,
		   enum suite_choice choice, const char *fallback);

/** The same, and make the folder of logs and all else that is needed to run. */
_must_check_ struct error *suite_setup_load(struct suite_setup *setup,
					    const struct command_context *context,
					    enum suite_choice choice,
					    const char *fallback);

#endif /* VM_CMD_CMD_SUITE_H */
