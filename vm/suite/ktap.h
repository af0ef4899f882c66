// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_KTAP_H
#define VM_SUITE_KTAP_H

/**
 * @file
 *
 * Results of tests in what a command has printed: TAP, and the kernel's KTAP,
 * among other lines. It begins with a line `TAP version 13` or `KTAP version
 * 1`; what comes before is not looked at. Tests of a test are indented, as by
 * kunit, or behind `# `, as by kselftest. It comes from a guest: of what is too
 * long or too much, the begin is kept.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

enum {
	/** Tests that are kept. */
	KTAP_TESTS_MAX = 10000,
	/** Bytes of a name, with those of the tests that it is part of. */
	KTAP_NAME_MAX = 500,
	/** Bytes of a line. */
	KTAP_LINE_MAX = 1000,
	/** Tests within tests. */
	KTAP_DEPTH_MAX = 8,
};

enum ktap_result {
	KTAP_PASSED,
	KTAP_FAILED,
	KTAP_SKIPPED,
	/** It was to fail, and did or did not: TODO, XFAIL. */
	KTAP_TODO,
};

/** A test that has none in it. */
struct ktap_test {
	/** `OUTER: INNER: TEST`; fit to be shown. */
	char *name;
	enum ktap_result result;
	/** Of what is skipped or to be done, or why it failed; "" for none. */
	char *reason;
};

/** Where tests are in another, or in none. */
struct ktap_level {
	size_t indentation;
	/** Tests of the plan; 0 if there is none. */
	size_t planned;
	size_t seen;
	/** Tests that are part of the one whose result comes next: from here. */
	size_t inner;
};

struct ktap {
	struct ktap_test *items;
	size_t count;
	/** Whether there were more than are kept. */
	bool is_cut;
	/** What follows is the parser's: whether it began, and was given up. */
	bool has_begun, has_bailed_out;
	struct ktap_level levels[KTAP_DEPTH_MAX];
	/** The innermost level's index. */
	size_t depth;
	/** How many `# ` stand before tests of tests. */
	size_t marks;
	char line[KTAP_LINE_MAX + 1];
	size_t line_length;
};

void ktap_deinit(struct ktap *ktap);

/** One that was allocated; NULL allowed. */
void ktap_destroy(struct ktap *ktap);

#define _cleanup_ktap_ _cleanup_(ktap_deinit)

/** Read on; in pieces of any size. */
void ktap_feed(struct ktap *ktap, const char *data, size_t size);

/** There is no more: what is missing has failed. */
void ktap_end(struct ktap *ktap);

#endif /* VM_SUITE_KTAP_H */
