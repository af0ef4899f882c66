// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_BISECT_H
#define VM_SUITE_BISECT_H

/**
 * @file
 *
 * Between which two kernels, in order of version, does a command begin to fail?
 * Deciding what to test next, and what is known. Touches nothing.
 */

#include <stddef.h>

enum bisect_verdict {
	BISECT_UNTESTED,
	BISECT_GOOD,
	BISECT_BAD,
	/** It tells nothing: it does not boot, or the command says so. */
	BISECT_SKIPPED,
};

extern const char *const bisect_verdict_names[];

enum bisect_action {
	/** Test one more. */
	BISECT_TEST,
	/** It is known. */
	BISECT_FOUND,
	/** Both ends are good. */
	BISECT_NEVER_FAILS,
	/** Both ends are bad. */
	BISECT_ALWAYS_FAILS,
	/** The first is bad, the last is good. */
	BISECT_BEGINS_TO_PASS,
	/** Fewer than two tell anything. */
	BISECT_TOO_FEW,
};

struct bisect_step {
	enum bisect_action action;
	/** To be tested. */
	size_t index;
	/** The ends, as far as they are known; those between are skipped. */
	size_t good;
	size_t bad;
	/** How many are still to be tested between the ends, about. */
	size_t left;
};

/**
 * What comes next. First the ends are tested: from either side the outermost
 * that is not skipped. Then the middle of what is between.
 *
 * @param[in] verdicts Oldest first.
 */
void bisect_next(const enum bisect_verdict *verdicts, size_t count,
		 struct bisect_step *ret);

#endif /* VM_SUITE_BISECT_H */
