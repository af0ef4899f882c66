// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_CMD_VM_COMMANDS_H
#define VM_CMD_VM_COMMANDS_H

/** @file The commands of vmtest-vm, and what they share. */

#include <stdbool.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/command/command.h"
#include "vm/guest/guest.h"
#include "vm/suite/suite.h"
#include "vm/suite/suite_report.h"

struct asset;
struct asset_list;
struct catalog_arch;
struct error;
struct kernel;
struct module;
struct suite_list;

extern const struct command vm_run_command;
extern const struct command vm_test_command;
extern const struct command vm_lock_command;
extern const struct command vm_bisect_command;
extern const struct command vm_range_command;
extern const struct command vm_exec_command;
extern const struct command vm_shell_command;
extern const struct command vm_ls_command;
extern const struct command vm_stop_command;
extern const struct command vm_list_command;
extern const struct command vm_download_command;
extern const struct command vm_module_command;
extern const struct command vm_rootfs_command;
extern const struct command vm_prune_command;
extern const struct command vm_drgn_command;
extern const struct command vm_crash_command;
extern const struct command vm_replay_command;

/* What guests are given. */

/** What to do with a module; the first two are the words of --module. */
enum module_use {
	MODULE_BUILD,
	MODULE_INSERT,
	MODULE_NONE,
};

/** In the order of --kdump's words. */
enum kdump_use {
	KDUMP_NO,
	KDUMP_YES,
	/** Where it works. */
	KDUMP_AUTO,
};

/** Options of a guest, which all commands that run one share. */
struct run_options {
	/** As far as options say it. */
	struct guest_config config;
	unsigned int timeout_s;
	/** enum module_use */
	unsigned int module;
	const char *module_source;
	/** enum kdump_use */
	unsigned int kdump;
	struct string_list environment;
	bool keep;
};

extern const struct command_option run_option_table[];

/** @return ERROR_USAGE if they are wrong for any kernel. */
_must_check_ struct error *run_options_check(const struct run_options *options);

/** The QEMU that --qemu or VMTEST_QEMU names; NULL for none. */
const char *run_options_qemu(const struct run_options *options);

/**
 * What the command sees of our environment, and what --env asks for.
 *
 * @param[in] is_host Whether its root is the host's: of another root we know
 * neither the programs nor the users.
 */
_must_check_ struct error *
run_options_environment(const struct run_options *options, bool is_host,
			struct string_list *ret);

/**
 * Add what any command sees of our environment, and what --env asks for.
 *
 * @return ERROR_USAGE for what cannot be.
 */
_must_check_ struct error *command_environment(const struct string_list *asked,
					       struct string_list *ret);

/**
 * Give a command our own streams, as far as they are of use, or our terminal.
 *
 * @param[in] has_input Whether stdin is for the command.
 */
void command_streams(struct guest_config *config, bool has_input);

/** Become another program, in our place on the terminal. Only fails. */
_must_check_ struct error *command_become(const char *program,
					  const struct string_list *words);

/* A debugger of a guest's kernel. */

/** In the order of --gdb's words. */
enum debugger_use {
	DEBUGGER_NO,
	/** Say how to start it. */
	DEBUGGER_WAIT,
	/** It takes our place on the terminal. */
	DEBUGGER_ATTACH,
};

/** As --gdb and --kgdb have it: enum debugger_use. */
struct debugger_request {
	unsigned int gdb;
	unsigned int kgdb;
};

/** What it and QEMU meet by. */
struct debugger {
	int listen_fd;
	/** Keeps the socket findable, while we run; or NULL. */
	struct process *holder;
};

#define DEBUGGER_INIT                                                          \
	{                                                                      \
		.listen_fd = -1                                                \
	}

/** Whether gdb takes our place. */
bool debugger_attaches(const struct debugger_request *request);

/** @return ERROR_USAGE if it cannot be, whatever the kernel. */
_must_check_ struct error *debugger_check(const struct debugger_request *request,
					  bool keeps);

/**
 * Say how to start gdb, or become it: then this returns in a process of its
 * own, which ends with it.
 *
 * @param[in,out] config All but this is there.
 */
_must_check_ struct error *debugger_open(const struct debugger_request *request,
					 struct guest_config *config,
					 struct debugger *ret);
void debugger_deinit(struct debugger *debugger);

#define _cleanup_debugger_ _cleanup_(debugger_deinit)

/* A guest that outlives what the user waits for. */

/**
 * Go on in a process of its own, the guest's owner. This one waits, passes on
 * signals, and dies with it, until owner_detach().
 *
 * @param[out] tell_fd_ret In the owner, what owner_detach() takes; else -1,
 * once there is nothing to wait for.
 * @param[out] status_ret What to exit with, if this is not the owner.
 */
_must_check_ struct error *owner_fork(int *tell_fd_ret, int *status_ret);

/** In the owner: leave the terminal, and have who waits exit with a status. */
void owner_detach(int tell_fd, int status);

/* Where a guest must not write. */

/** What the host does there, which says what the user can do. */
enum place_use {
	PLACE_KERNEL,
	PLACE_SOURCE,
	PLACE_PROGRAM,
	PLACE_FILE,
	PLACE_DIRECTORY,
	PLACE_OUTPUT,
};

struct place {
	/** For messages: `--result`. */
	const char *what;
	/** It need not be there yet. NULL for none. */
	const char *path;
	enum place_use use;
};

/**
 * Check that no --rw directory is what the host reads, runs or writes, nor in
 * it, nor around it, whatever links and mounts there are: what one guest leaves
 * there, the host would run, or follow, for the next one.
 *
 * @param[in] outputs What the command writes.
 * @return ERROR_USAGE
 */
_must_check_ struct error *
run_options_check_places(const struct command_context *context,
			 const struct run_options *options,
			 const struct place *outputs, size_t count);

/* Which kernels --arch, --flavor and --kernel mean. */

/** Add the releases on disk, of whatever architecture. */
void add_kernel_names(const struct command_context *context,
		      struct string_list *ret);

/**
 * The names of --arch, each once, or this machine's.
 *
 * @return ERROR_USAGE for several with a kernel that is a directory, which has
 * one architecture.
 */
_must_check_ struct error *command_archs(const struct command_context *context,
					 struct string_list *ret);

/**
 * Open the store, and list it.
 *
 * @param[in] optional Without a network, the kernels on disk will do: a store
 * that cannot be asked is empty, with a warning, unless --store names it.
 */
_must_check_ struct error *command_assets(struct command_context *context,
					  bool optional, struct asset_list *ret);

/**
 * The newest asset that is meant.
 *
 * @param[in] pattern NULL for any kernel.
 * @return ERROR_NOT_FOUND.
 */
_must_check_ struct error *command_asset(const struct command_context *context,
					 const struct asset_list *assets,
					 const char *arch, const char *pattern,
					 const struct asset **ret);

/**
 * Download an asset, checked as --verify and --allow-unverified say.
 *
 * @param[out] unpack_ms_ret As kernel_download() takes it.
 */
_must_check_ struct error *command_download(struct command_context *context,
					    const struct asset *asset,
					    struct kernel *ret,
					    uint64_t *unpack_ms_ret);

/**
 * Find a KERNEL: a package's directory, or what kernel_adopt() takes; else the
 * newest match on disk; else the newest in the store, which is downloaded.
 *
 * @param[in] pattern NULL for any kernel.
 */
_must_check_ struct error *command_kernel(struct command_context *context,
					  const char *arch, const char *pattern,
					  struct kernel *ret);

/** A kernel's source, and how to build it. All is borrowed. */
struct kernel_source {
	const char *path;
	/** A commit of its repository; NULL for the files as they are. */
	const char *ref;
	/** What its build is kept for; NULL for the commit. */
	const char *slot;
	/** Use the .config that lies in it, and no flavor's. */
	bool keep_config;
	bool llvm;
};

/**
 * Build a kernel by vmtest-kbuild, or what has changed of it, and adopt it. The
 * build is kept below --directory, `builds/DIGEST/`. Blocks for minutes; what
 * the build says goes to stderr.
 */
_must_check_ struct error *command_build(struct command_context *context,
					 const struct kernel_source *source,
					 const struct catalog_arch *arch,
					 struct kernel *ret);

/**
 * Build a module for a kernel, or find it built.
 *
 * @param[in] source NULL for the module that is installed with the program.
 */
_must_check_ struct error *command_module(struct command_context *context,
					  const struct catalog_arch *arch,
					  const struct kernel *kernel,
					  const char *source, struct module *ret);

/**
 * Handle the failure of one of several items: log it, and go on to the next.
 *
 * @param[in] err Consumed; may be NULL.
 * @return The error, if it ends the command: the item was the last, or the
 * error is one of usage or of a signal.
 */
_must_check_ struct error *command_go_on(struct command_context *context,
					 struct error *err, bool is_last);

/* A project's file, of the commands that read one. */

struct project_options {
	/** NULL for vmtest.json, if there is one. */
	const char *path;
	bool trust;
};

#define TRUST_PROJECT_HELP                                                     \
	"let the project's file, as it is now, do things on the host and outside of its directory; this is kept"

/**
 * Load the project's file, and set the options for which it says a value.
 *
 * @param[in] fallback Installed file (data_path()) to take if it says nothing,
 * and there is no command either; NULL for none.
 * @param[in] all_kernels Whether it does not say which kernels.
 * @return ERROR_USAGE for what is only for a project that is trusted.
 */
_must_check_ struct error *
command_load_project(struct command_context *context,
		     const struct project_options *options, const char *fallback,
		     bool all_kernels, struct project *ret);

/*
 * What commands that run one command under many kernels share: their set-up,
 * and their summary for GitHub Actions.
 */

/** Which bisect, with few kernels at once, never does. */
enum discard {
	DISCARD_NO,
	DISCARD_YES,
	DISCARD_AUTO,
};

/** Of `test` and `bisect`. */
struct suite_options {
	struct run_options guest;
	bool all_kernels;
	bool list;
	unsigned int jobs;
	enum discard discard;
	const char *junit;
	const char *log_directory;
	unsigned int repeat;
	bool until_failure;
	unsigned int shuffle;
	bool rerun_failed;
	bool locked;
	/** Without it, the disk may say what patterns mean. */
	bool asks_store;
	struct project_options project;
};

/** Rows of those that are for several kernels at once. */
// clang-format off
#define SUITE_KERNELS_ROWS                                                     \
	{ 'K', "all-kernels", NULL, "all supported kernels: each series of the catalog, each flavor", OPTION_INTO(OPTION_FLAG, struct suite_options, all_kernels) }, \
	{ 'j', "jobs", "[N]", "guests at once (default 1; without N, one a processor, as far as there is memory)", OPTION_INTO(OPTION_OPTIONAL_NUMBER, struct suite_options, jobs), .min = 1, .otherwise = 1 }

#define SUITE_DISCARD_ROW                                                      \
	{ 0, "discard", "no|yes|auto", "delete each kernel that is downloaded for its test after it (default auto: in GitHub Actions)", OPTION_INTO(OPTION_SWITCH, struct suite_options, discard), .otherwise = DISCARD_AUTO }
// clang-format on

/** Those that both have, besides those of a guest. */
extern const struct command_option suite_option_table[];

/** A command, its kernels, and how to run and to show it. */
struct suite_setup {
	struct command_context *context;
	struct project project;
	/** Names, which the suite borrows. */
	struct string_list archs;
	/** Where it is kept which kernels have failed, and which are locked. */
	char *failed_path, *lock_path;
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
 * @param[in] fallback As command_load_project() takes it.
 */
_must_check_ struct error *suite_setup_load(struct suite_setup *setup,
					    struct command_context *context,
					    enum suite_choice choice,
					    const char *fallback);

/**
 * Run the suite, several times if that is asked for: then its items are the
 * worst runs of each kernel.
 *
 * @param[in] rounds 0 for no limit.
 */
_must_check_ struct error *suite_run_rounds(struct suite_setup *setup,
					    unsigned int rounds,
					    bool until_failure);

/**
 * Choose just the kernels of a list, whatever the command line says.
 *
 * @param[in] setup Has a context, and no kernels.
 */
_must_check_ struct error *suite_setup_choose_listed(struct suite_setup *setup,
						     const struct suite_list *list);

/** Keep which kernels have failed, for --rerun-failed. */
_must_check_ struct error *suite_setup_keep_failed(const struct suite_setup *setup);

/** Run one item of a search, and log what it has shown. */
_must_check_ struct error *suite_run_step(const struct suite_setup *setup,
					  struct suite_item *item,
					  unsigned int number);

/** Choose the kernels, as a part of suite_setup_load(). */
_must_check_ struct error *suite_setup_choose(struct suite_setup *setup,
					      enum suite_choice choice);

/**
 * In a workflow, append a suite to the step's summary, as much as there is room
 * for.
 *
 * @param[in] text A sentence on the whole; NULL for none.
 */
_must_check_ struct error *suite_write_summary(const struct suite_setup *setup,
					       const char *text,
					       const struct suite *suite);

#endif /* VM_CMD_VM_COMMANDS_H */
