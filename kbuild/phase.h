// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_PHASE_H
#define KBUILD_PHASE_H

/** @file What making a kernel goes through, and how long each part takes. */

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
	/** What is going on, or went on last: where a failure happened. */
	enum phase current;
	/** Monotonic; 0 while it stands. */
	uint64_t since_ms;
	uint64_t duration_ms[PHASE_COUNT];
};

/**
 * A phase begins, and the one before it ends; it may have begun before.
 *
 * @param[in] clock May be NULL.
 */
void phase_clock_enter(struct phase_clock *clock, enum phase phase);

/** The last phase ends. */
void phase_clock_stop(struct phase_clock *clock);

#endif /* KBUILD_PHASE_H */
