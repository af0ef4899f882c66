// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_QEMU_QEMU_H
#define VM_QEMU_QEMU_H

/**
 * @file
 *
 * The virtual machine: what is asked for, and QEMU's command line for it.
 * Decides; starts nothing (qemu_link.h does). What runs in it is vm/guest's.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/string_list.h"
#include "vm/qemu/accel.h"

struct catalog_arch;
struct catalog_machine;
struct error;
struct kernel;
struct qemu_link;
struct share_plan;

/** Ports of the virtio-serial bus. Port 0 can only be a console. */
enum qemu_port {
	PORT_TERMINAL,
	PORT_CONTROL,
	PORT_STDIN,
	PORT_STDOUT,
	PORT_STDERR,
	PORT_COUNT,
};

/** What is asked for. */
struct qemu_config {
	const struct kernel *kernel;
	const struct catalog_arch *arch;
	/** One of the architecture's; NULL for the first that fits. */
	const char *machine;
	enum accel accel;
	/** As -m takes it; NULL for the default. */
	const char *memory;
	/** 0 for the default. */
	unsigned int cpus;
	/** Set memory aside for a crash kernel. */
	bool kdump;
	/** Last on the kernel's command line, and on QEMU's. */
	struct string_list append;
	struct string_list arguments;
};

/** What is decided. */
struct qemu_options {
	const struct qemu_config *config;
	const struct catalog_machine *machine;
	enum accel accel;
	/** The image to boot. */
	const char *image;
	const struct share_plan *shares;
	/** init.sh on the root; not used if it has a share. */
	const char *init;
	/** QEMU's ends, which it inherits; qemu_link_create() sets them. */
	const struct qemu_link *sockets;
	/** An open file that becomes /dev/vda; -1 for none. QEMU inherits it. */
	int disk_fd;
	/** 0 if not known or not wanted. */
	uint64_t tsc_khz;
	/** Show all of the kernel's messages. */
	bool verbose;
};

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
 * The first machine that the kernel can boot on, or the one that is asked for.
 *
 * @param[in] after Begin with the one after this; NULL for the first.
 * @return ERROR_USAGE for a name that there is not, ERROR_NOT_FOUND if no
 * (other) machine fits, or the named one does not.
 */
_must_check_ struct error *
qemu_choose_machine(const struct qemu_config *config,
		    const struct catalog_machine *after,
		    const struct catalog_machine **ret);

/** Whether what QEMU printed means that it lacks the machine, or part of it. */
bool qemu_lacks_machine(const char *output);

#endif /* VM_QEMU_QEMU_H */
