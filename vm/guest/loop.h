// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_LOOP_H
#define VM_GUEST_LOOP_H

/**
 * @file
 *
 * One QEMU and the guest in it, from its start to its end: polls what they and
 * the user have to say, and does what the machine decides (machine.h).
 */

#include "common/base/cleanup.h"

struct error;
struct guest_config;
struct guest_extras;
struct qemu_options;
struct run_result;

/**
 * Boot a guest and wait for its end, however it comes.
 *
 * @param[in] options All but the descriptors, which are set.
 * @return As guest_run(); ERROR_NOT_FOUND if QEMU is not there or has no such
 * machine.
 */
_must_check_ struct error *loop_run(const struct guest_config *config,
				    const struct guest_extras *extras,
				    struct qemu_options *options,
				    struct run_result *ret);

#endif /* VM_GUEST_LOOP_H */
