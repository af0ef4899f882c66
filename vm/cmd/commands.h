// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_CMD_COMMANDS_H
#define VM_CMD_COMMANDS_H

/** @file The commands of vmtest-vm, and what they share. */

#include <stdbool.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/string_list.h"
#include "common/cli/command.h"

struct asset_list;
struct catalog;
struct catalog_arch;
struct error;
struct kernel;
struct module;

/** Exit statuses of `run` that are not the command's. */
enum {
	RUN_STATUS_SPLAT = 1,
	RUN_STATUS_USAGE = 2,
	RUN_STATUS_TIMED_OUT = 124,
	RUN_STATUS_NOT_RUN = 125,
	RUN_STATUS_LOST = 128,
};

struct run_options {
	const char *root;
	unsigned int timeout_s;
	const char *accel;
	const char *machine;
	const char *memory;
	unsigned int cpus;
	const char *directory;
	const char *disk;
	bool kdump;
	const char *module;
	const char *module_source;
	bool fail_on_splat;
	struct string_list writable;
	struct string_list append;
	struct string_list qemu_options;
	struct string_list environment;
};

/** Options of a guest, which all commands that run one share. */
extern const struct command_option run_option_table[];

/** What is wrong with them whatever the kernel, before any is looked for. */
_must_check_ struct error *run_options_check(const struct run_options *options);

struct run_command_options {
	struct run_options guest;
	unsigned int lost_status;
	const char *result;
	const char *console_log;
};

extern const struct command_option run_command_option_table[];
struct error *cmd_run(const struct command_context *context, int *status_ret);

/** Of `test` and `bisect`, which runs several guests. */
struct suite_options {
	struct run_options guest;
	bool all_kernels;
	bool list;
	unsigned int jobs;
	const char *junit;
	const char *log_directory;
	const char *project;
};

extern const struct command_option test_option_table[];
struct error *cmd_test(const struct command_context *context, int *status_ret);

extern const struct command_option bisect_option_table[];
struct error *cmd_bisect(const struct command_context *context, int *status_ret);

struct prune_options {
	unsigned int keep;
	const char *cache_size;
	const char *older_than;
	bool dry_run;
};

extern const struct command_option prune_option_table[];
struct error *cmd_prune(const struct command_context *context, int *status_ret);

struct module_options {
	const char *source;
};

extern const struct command_option module_option_table[];
struct error *cmd_module(const struct command_context *context, int *status_ret);

struct rootfs_options {
	struct string_list packages;
	const char *mirror;
	bool force;
	const char *project;
};

extern const struct command_option rootfs_option_table[];
struct error *cmd_rootfs(const struct command_context *context, int *status_ret);

struct error *cmd_list(const struct command_context *context, int *status_ret);
struct error *cmd_download(const struct command_context *context,
			   int *status_ret);

/** The architecture of --arch, of which there may be one, or this machine's. */
_must_check_ struct error *command_arch(const struct command_context *context,
					const struct catalog *catalog,
					const struct catalog_arch **ret);

struct arch_list {
	/** Borrowed from the catalog. */
	const struct catalog_arch **items;
	size_t count;
};

static inline void arch_list_deinit(struct arch_list *list)
{
	free(list->items);
}

#define _cleanup_arch_list_ _cleanup_(arch_list_deinit)

/**
 * The architectures of --arch, each once, or this machine's.
 *
 * @return ERROR_USAGE if they are several, and a kernel a folder, which has one.
 */
_must_check_ struct error *command_archs(const struct command_context *context,
					 const struct catalog *catalog,
					 struct arch_list *ret);

/** What the store has, for a command that asks it nothing else. */
_must_check_ struct error *command_assets(const struct command_context *context,
					  const struct catalog *catalog,
					  struct asset_list *ret);

/** That a store has no such kernel. @param[in] pattern NULL for any. */
_must_check_ struct error *
command_no_kernel(const struct command_context *context, const char *pattern,
		  const struct catalog_arch *arch,
		  const struct asset_list *assets, const char *store);

/**
 * Find a KERNEL: a folder; else the newest match on disk; else the newest in
 * the store, which is downloaded.
 *
 * @param[in] pattern NULL for any kernel.
 */
_must_check_ struct error *command_kernel(const struct command_context *context,
					  const struct catalog *catalog,
					  const struct catalog_arch *arch,
					  const char *pattern,
					  struct kernel *ret);

/**
 * Build a module for a kernel, or find it built.
 *
 * @param[in] source NULL for the module that is installed with the program.
 */
_must_check_ struct error *command_module(const struct command_context *context,
					  const struct catalog *catalog,
					  const struct catalog_arch *arch,
					  const struct kernel *kernel,
					  const char *source, struct module *ret);

#endif /* VM_CMD_COMMANDS_H */
