// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_QEMU_CONFINE_H
#define VM_QEMU_CONFINE_H

/**
 * @file
 *
 * What a program that serves a guest can do to the host, whatever the guest has
 * made of it: Landlock's rules, see landlock(7). There is none that forbids, so
 * what is hidden are the exceptions of what is shown; of their files, only
 * names and attributes are seen, and what they lead to as links.
 */

#include <stdbool.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/process/landlock.h"

struct error;
struct sock_fprog;

struct confinement {
	/** Whether it reads the host's files: all but what is hidden. */
	bool reads_host;
	/** With all they hold; absolute, without links, as those below. */
	struct string_list hidden;
	/** What it reads even where that is hidden. */
	struct string_list shown;
	/** Directories that it changes. */
	struct string_list writable;
	/** Whether it changes what the caller can, and reaches others. */
	bool is_open;
	/** Whether it uses TCP. */
	bool has_network;
	/** Whether it is an error if the kernel cannot do it. */
	bool is_required;
};

void confinement_deinit(struct confinement *confinement);

#define _cleanup_confinement_ _cleanup_(confinement_deinit)

/** Show a file or directory, if it is there. */
void confinement_show(struct confinement *confinement, const char *path);

/** Show what else is where a program is, and where its libraries may be. */
void confinement_add_program(struct confinement *confinement, const char *name);

/**
 * What the rules are about.
 *
 * @param[in] abi As of landlock_abi().
 * @return Whether the program can be confined: without Landlock's second
 * version, none that changes directories, since it could not rename from one
 * to another.
 */
bool confinement_rights(const struct confinement *confinement, int abi,
			struct landlock_rights *ret);

/**
 * @param[out] fd_ret For struct process_options's ruleset_fd; close(). It is -1
 * where the kernel cannot do it.
 */
_must_check_ struct error *confinement_make(const struct confinement *confinement,
					    int *fd_ret);

/** What a server of a directory may do there. */
enum server_kind {
	/**
	 * Change it, but no file gets setuid or setgid. What asks for setuid
	 * fails; chmod(2) that asks for setgid alone does nothing, since of a
	 * directory it is harmless, and copied with other bits.
	 */
	SERVER_WRITES,
	/**
	 * The same as an ordinary user, whose all files that the guest makes
	 * are, as over 9p: becoming the guest's user succeeds and does nothing.
	 */
	SERVER_WRITES_AS_CALLER,
	/** Change no attribute. Landlock does not know of these. */
	SERVER_READS,
};

/** A filter, see seccomp(2). */
const struct sock_fprog *server_filter(enum server_kind kind);

#endif /* VM_QEMU_CONFINE_H */
