// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_SUITE_H
#define VM_SUITE_SUITE_H

/**
 * @file
 *
 * One command, many kernels, and what has become of each, as data.
 * Nothing here touches anything.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/kernel/release.h"

struct run_result;

enum suite_state {
	SUITE_WAITING,
	SUITE_DOWNLOADING,
	/** Its module is. */
	SUITE_BUILDING,
	SUITE_RUNNING,
	SUITE_PASSED,
	/** Passed after its guest had been lost once. */
	SUITE_FLAKY,
	SUITE_FAILED,
	SUITE_TIMED_OUT,
	/** Its guest was lost twice. */
	SUITE_LOST,
	/** Download or module failed, or the command could not be started. */
	SUITE_NOT_RUN,
	SUITE_INTERRUPTED,
	SUITE_STATE_COUNT,
};

/** In words: `timed out`. */
const char *suite_state_name(enum suite_state state);

/** Whether nothing more happens to such a kernel. */
bool suite_state_is_end(enum suite_state state);

/** Whether it is an end, and not a good one. */
bool suite_state_is_failure(enum suite_state state);

enum suite_phase {
	SUITE_DOWNLOAD,
	SUITE_UNPACK,
	SUITE_MODULE,
	SUITE_BOOT,
	SUITE_COMMAND,
	SUITE_PHASE_COUNT,
};

/** `download`, `unpack`, … */
extern const char *const suite_phase_names[SUITE_PHASE_COUNT];

enum {
	/** `RELEASE.ARCH`, or `RELEASE-NUMBER` */
	SUITE_NAME_SIZE = RELEASE_TEXT_SIZE + ARCH_SIZE,
};

/** One kernel. */
struct suite_item {
	/**
	 * The release; with a number behind it where two have the same, or the
	 * architecture in a suite of several.
	 */
	char name[SUITE_NAME_SIZE];
	/** Its architecture; borrowed. */
	const char *arch;
	struct release release;
	/** False for a directory whose kernel has a release of another kind. */
	bool has_release;
	/** The KERNEL of a command line that means it: its release or directory. */
	char *kernel;
	/** The directory, if it was given as one, or is on disk; else NULL. */
	char *path;
	enum suite_state state;
	/** Monotonic: when it came into its state. */
	uint64_t since_ms;
	/** Whether there is a module to be built before its first run. */
	bool needs_module;
	/** How often its guest was started. */
	unsigned int attempts;
	/** Of the last attempt; 0 for what did not take place. */
	uint64_t phase_ms[SUITE_PHASE_COUNT];
	/** The command's, if it has exited. */
	int exit_status;
	/** Why it is no success, or why it is flaky; else NULL. */
	char *reason;
	/** Of the last attempt; NULL if there are none. */
	char *log_path;
	char *console_path;
};

struct suite {
	struct suite_item *items;
	size_t count;
};

void suite_deinit(struct suite *suite);

#define _cleanup_suite_ _cleanup_(suite_deinit)

/**
 * Decide what has become of a kernel whose run has ended. One whose guest was
 * lost for the first time is waiting again.
 */
void suite_item_conclude(struct suite_item *item,
			 const struct run_result *result);

/** Set a reason, a line, in place of an earlier one. */
_printf_(2, 3) void suite_item_explain(struct suite_item *item,
				       const char *format, ...);

/** What all phases took. */
uint64_t suite_item_total_ms(const struct suite_item *item);

#endif /* VM_SUITE_SUITE_H */
