// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_KERNEL_KERNEL_H
#define VM_KERNEL_KERNEL_H

/**
 * @file
 *
 * Kernels on disk: unpacked packages, `DIRECTORY/ARCH/kernel-RELEASE/`, or in
 * any other directory; and what is in their .config.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/kernel/release.h"

struct asset;
struct asset_list;
struct cache_entry;
struct error;
struct store;

/** An unpacked package, which is not pruned while this is open. */
struct kernel {
	char release[RELEASE_TEXT_SIZE];
	/** Absolute, without symbolic links. */
	char *path;
	/** build/.config; empty if the package has none. */
	char *config;
	/** What keeps it there; and, if it was built here, its build. */
	struct cache_entry *entry;
	struct cache_entry *build;
};

void kernel_deinit(struct kernel *kernel);

#define _cleanup_kernel_ _cleanup_(kernel_deinit)

/**
 * Open a directory that holds an unpacked package.
 *
 * @return ERROR_NOT_FOUND if it is not there, is about to be deleted, or holds
 * something else.
 */
_must_check_ struct error *kernel_open(const char *path, struct kernel *ret);

/**
 * Check that a kernel has what something needs. One without a config is not
 * asked.
 *
 * @param[in] what For messages: `--numa`.
 * @param[in] options Ended by NULL.
 * @param[in] modules Whether modules will do.
 */
_must_check_ struct error *kernel_check_options(const char *config,
						const char *what,
						const char *const *options,
						bool modules);

/** Whether it can be a kernel's release: it becomes part of paths and messages. */
bool kernel_takes_release(const char *text);

/** Whether its release says that it is of this series, or a later one. */
bool kernel_is_since(const struct kernel *kernel, unsigned int major,
		     unsigned int minor);

/** Whether a directory is an unpacked package, or looks like one. */
bool kernel_is_package(const char *path);

/**
 * Where a module is, which may be compressed, below the kernel's directory.
 *
 * @param[in] name `kernel/fs/fuse/virtiofs.ko`
 * @return NULL if it is not there; free().
 */
char *kernel_module(const struct kernel *kernel, const char *name);

/**
 * Whether a KERNEL of the command line is a path, or the one that is installed
 * (adopted.h), rather than a pattern.
 */
bool kernel_is_path(const char *text);

/** A kernel that is on disk, in the store, or both. */
struct kernel_entry {
	struct release release;
	char text[RELEASE_TEXT_SIZE];
	/** Borrowed. */
	const char *arch;
	/** NULL if it is not on disk. */
	char *path;
	/** Borrowed; NULL if it is not in the store. */
	const struct asset *asset;
};

struct kernel_list {
	/** By the architectures' names, and of each the newest first. */
	struct kernel_entry *items;
	size_t count;
};

void kernel_list_deinit(struct kernel_list *list);

#define _cleanup_kernel_list_ _cleanup_(kernel_list_deinit)

/**
 * Add what is in the directory of downloads; one that is not there is empty.
 */
_must_check_ struct error *kernel_list_add_disk(struct kernel_list *list,
						const char *directory,
						const char *arch);

/** Add an architecture's kernels of a store. */
void kernel_list_add_store(struct kernel_list *list,
			   const struct asset_list *assets, const char *arch);

/**
 * Whether the pattern (NULL for any) and the flavors, if any, mean a kernel.
 */
bool kernel_is_wanted(const struct kernel_entry *entry, const char *pattern,
		      const struct string_list *flavors);

/** What is asked of a package besides to be what the store says. */
struct download_checks {
	/** One of a store on the network needs no digest. */
	bool allows_unverified;
	/** Its attestation is verified if it comes from GitHub (attestation.h). */
	bool verifies;
	/** Without the program for that, there is a warning, no error. */
	bool program_is_optional;
};

/**
 * Download and unpack an asset, unless it is there. It is checked before it is
 * unpacked, or, by its digest alone, while it is. Others who download it at the
 * same time wait for the first. Blocks, on the network.
 *
 * @param[out] unpack_ms_ret Time of unpacking, without the time that it waited
 * for data. 0 if the kernel was there; may be NULL.
 */
_must_check_ struct error *
kernel_download(struct store *store, const struct asset *asset,
		const char *directory, const struct download_checks *checks,
		struct kernel *ret, uint64_t *unpack_ms_ret);

/**
 * Delete all but the newest kernels of each series and flavor. Kernels in use
 * stay.
 *
 * @param[in] selection Only kernels that it selects are considered.
 * @param[in] dry_run Only say which.
 * @param[out] deleted_ret Paths.
 */
_must_check_ struct error *kernel_prune(const char *directory, const char *arch,
					const struct release_selection *selection,
					unsigned int keep, bool dry_run,
					struct string_list *deleted_ret);

#endif /* VM_KERNEL_KERNEL_H */
