// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_QEMU_SHARE_H
#define VM_QEMU_SHARE_H

/**
 * @file
 *
 * Which directories of the host a guest sees, and where.
 *
 * Every share but those asked for with --rw is read-only at the 9p server,
 * inside QEMU, so that nothing that the guest does can reach the host. To let
 * it write nevertheless, overlays on a tmpfs lie on top.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"

struct error;

struct share {
	/** At most 31 characters, for 9p. */
	char *tag;
	/** The directory on the host. */
	char *path;
	bool writable;
};

/** What the plan depends on; all paths absolute and without symbolic links. */
struct share_request {
	/** The guest's root. */
	const char *root;
	/** The kernel's package, and where its modules belong in the root. */
	const char *package;
	const char *modules;
	/**
	 * Where the command runs, which the guest must see; NULL for nowhere. Of
	 * `/`, every guest has its own.
	 */
	const char *directory;
	/** Directories that the guest may change. */
	const struct string_list *writable;
	/** Those that it must see, wherever. */
	const struct string_list *extra;
	/** Directory of init.sh. */
	const char *init;
	/** The kernel's .config; optional file systems depend on it. */
	const char *config;
};

/** The shares, and what init.sh needs to know to mount them. */
struct share_plan {
	/** The root first. */
	struct share *items;
	size_t count;
	/**
	 * fstab(5), with $state/root as the root, and the directories it wants.
	 * Without names of the host's: busybox reads 512 bytes of a line, and
	 * takes what follows a `#` for a comment however it is written.
	 */
	struct string_builder mounts;
	struct string_list directories;
	/**
	 * What is mounted one by one before: a directory, type, options and
	 * source each.
	 */
	struct string_list early_mounts;
	/** Where the package is then; the working directory of @p mounts. */
	char *package;
	/** The same as before, for later, in the root itself. */
	struct string_list late_directories;
	struct string_list late_mounts;
	/** Where the guest sees each of the extra directories, in their order. */
	struct string_list extra;
	/**
	 * Whether init.sh has its own share: it is not on the root, or under a
	 * name that the kernel's command line cannot have.
	 */
	bool init_shared;
};

/**
 * @return ERROR_USAGE if a directory cannot have its place in the guest, since
 * it would cover what the guest runs from: `/usr`, with another root.
 */
_must_check_ struct error *share_plan_compute(const struct share_request *request,
					      struct share_plan *ret);
void share_plan_deinit(struct share_plan *plan);

#define _cleanup_share_plan_ _cleanup_(share_plan_deinit)

/**
 * TMPDIR in the guest. In `/tmp`, which is the host's below an overlay, a file
 * that is mapped or watched is another inode than the one that was opened.
 */
#define SHARE_TEMPORARY "/run/vmtest/tmp"

/** Mount options of a 9p share. */
#define SHARE_OPTIONS "trans=virtio,version=9p2000.L,msize=131072"

#define SHARE_ROOT_TAG "/dev/root"
#define SHARE_INIT_TAG "init"

#endif /* VM_QEMU_SHARE_H */
