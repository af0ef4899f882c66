// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_QEMU_ACCEL_H
#define VM_QEMU_ACCEL_H

/** @file How the guest's instructions are executed. */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct catalog_arch;
struct error;

/** In the order of --accel's words. */
enum accel {
	/** KVM where it can work, else TCG. */
	ACCEL_AUTO,
	ACCEL_KVM,
	/** QEMU's emulation: anywhere, for any architecture. */
	ACCEL_TCG,
};

/**
 * Whether KVM can be expected to work on x86, by what /proc/cpuinfo says. That
 * /dev/kvm opens says little: under some hypervisors (kvm_pvm) it makes a VM
 * that then hangs or aborts, so the processor must also offer virtualization.
 */
bool accel_is_offered(const char *cpuinfo);

/**
 * Decide, by looking at this machine if the request is ACCEL_AUTO.
 *
 * @return ERROR_USAGE for KVM with a guest of another architecture.
 */
_must_check_ struct error *accel_choose(enum accel request,
					const struct catalog_arch *arch,
					enum accel *ret);

/** A reading of the time stamp counter with the clock beside it. */
struct tsc_sample {
	uint64_t ticks;
	uint64_t ns;
};

/** Of now; zeros on a machine that has none. */
struct tsc_sample tsc_read(void);

/**
 * Its frequency in kHz, from a sample taken earlier to now. Waits if that was
 * less than 5 ms ago: then the error is some 20 parts per million. 0 if it
 * cannot be told.
 */
uint64_t tsc_khz_since(const struct tsc_sample *start);

#endif /* VM_QEMU_ACCEL_H */
