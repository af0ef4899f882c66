// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_PHASE_H
#define KBUILD_PHASE_H

/** @file The phases of building a kernel, and how long each takes. */

#include <stdint.h>

/** In their order. */
enum phase {
	PHASE_SOURCE,
	PHASE_PATCH,
	PHASE_CONFIG,
	PHASE_BUILD,
	PHASE_PACKAGE,
	/** These are for whoever goes on with the package. */
	PHASE_BOOT,
	PHASE_PUBLISH,
	PHASE_COUNT,
};

/** `source`, `patch` and so on. */
extern const char *const phase_names[PHASE_COUNT];

/** Starts zeroed. */
struct phase_clock {
	/** The current phase, or the last one: where a failure happened. */
	enum phase current;
	/** Monotonic; 0 while the clock is stopped. */
	uint64_t since_ms;
	uint64_t duration_ms[PHASE_COUNT];
};

/**
 * Begin a phase, which ends the one before it. A phase can be resumed.
 *
 * @param[in] clock May be NULL.
 */
void phase_clock_enter(struct phase_clock *clock, enum phase phase);

/** End the current phase. */
void phase_clock_stop(struct phase_clock *clock);

#endif /* KBUILD_PHASE_H */
