// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_QEMU_H
#define VM_GUEST_QEMU_H

/** @file QEMU's command line. Decides; starts nothing. */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/string_list.h"
#include "vm/guest/accel.h"

struct catalog_arch;
struct catalog_machine;
struct error;
struct share_plan;

/** Ports of the virtio-serial bus. Port 0 can only be a console. */
enum guest_port {
	PORT_TERMINAL,
	PORT_CONTROL,
	PORT_STDIN,
	PORT_STDOUT,
	PORT_STDERR,
	PORT_COUNT,
};

struct qemu_options {
	const struct catalog_arch *arch;
	const struct catalog_machine *machine;
	enum accel accel;
	/** As -m takes it. */
	const char *memory;
	unsigned int cpus;
	/** The image to boot. */
	const char *image;
	const struct share_plan *shares;
	/** init.sh on the root; not used if it has a share. */
	const char *init;
	/** Sockets that QEMU inherits; -1 for a port that is not there. */
	int console_fd;
	int port_fds[PORT_COUNT];
	/** An open file that becomes /dev/vda; -1 for none. QEMU inherits it. */
	int disk_fd;
	/** 0 if not known or not wanted. */
	uint64_t tsc_khz;
	/** The kernel's CONFIG_HZ; 0 if not known. */
	unsigned int hz;
	/** Set memory aside for a crash kernel. */
	bool kdump;
	/** Show all of the kernel's messages. */
	bool verbose;
	/** Last on the kernel's command line, and on QEMU's. */
	const struct string_list *append;
	const struct string_list *arguments;
};

/** What QEMU inherits of our environment; ended by NULL. */
extern const char *const qemu_variables[];

/** @param[out] ret All arguments, the program first. */
_must_check_ struct error *qemu_arguments(const struct qemu_options *options,
					  struct string_list *ret);

/**
 * The kernel's command line; free().
 *
 * @return ERROR_USAGE if it is longer than kernels of the architecture take,
 * which would cut it without a word.
 */
_must_check_ struct error *
qemu_kernel_command_line(const struct qemu_options *options, char **ret);

/**
 * The first machine that a kernel can boot on, or the one that is asked for.
 *
 * @param[in] name What --machine says; NULL for any.
 * @param[in] after Begin with the one after this; NULL for the first.
 * @return ERROR_USAGE for a name that there is not, ERROR_NOT_FOUND if no
 * (other) machine fits, or the named one does not.
 */
_must_check_ struct error *
qemu_choose_machine(const struct catalog_arch *arch, const char *config,
		    const char *name, const struct catalog_machine *after,
		    const struct catalog_machine **ret);

/** Whether what QEMU printed means that it lacks the machine, or part of it. */
bool qemu_lacks_machine(const char *output);

#endif /* VM_GUEST_QEMU_H */
