// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_JUNIT_H
#define VM_SUITE_JUNIT_H

/**
 * @file
 *
 * A suite's results as the XML that JUnit's Ant task made up and CI systems
 * read: a test case a kernel. Nothing here touches anything.
 */

#include <stdint.h>

#include "common/base/cleanup.h"

struct error;
struct string_builder;
struct string_list;
struct suite;

/**
 * Append text for an attribute or an element. What XML cannot hold is dropped:
 * control characters, and all that is not UTF-8.
 */
void junit_append_text(struct string_builder *sb, const char *text);

struct junit_report {
	const struct suite *suite;
	/** What was run, for people. */
	const char *command;
	/** When it was started: `2026-01-31T12:00:00`. */
	const char *timestamp;
	uint64_t duration_ms;
	/** The ends of the failures' logs: one for each item, "" for none. */
	const struct string_list *logs;
};

/** @param[out] ret free() */
char *junit_format(const struct junit_report *report);

#endif /* VM_SUITE_JUNIT_H */
