// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_SUITE_REPORT_H
#define VM_SUITE_SUITE_REPORT_H

/** @file A suite while it runs and once it has, for people and programs. */

#include <time.h>

#include "vm/suite/suite.h"

struct string_builder;
struct table;

/* As text, for a terminal, a log and GitHub Actions; appended to a string. */

/**
 * All results, a line each, with what each phase took; then the tests that
 * failed.
 */
void suite_table_append(struct string_builder *sb, const struct suite *suite);

/**
 * Add the tests of commands that have failed, a row each, and on which kernels.
 *
 * @return Whether there is any.
 */
bool suite_tests_make_table(const struct suite *suite, struct table *table);

/**
 * The same in Markdown, with the ends of the failures' logs, as many as there
 * is room for.
 *
 * @param[in] text A sentence on the whole; NULL for none.
 * @param[in] limit_bytes At most this many, unless the head has more.
 */
void suite_table_append_summary(struct string_builder *sb, const char *title,
				const char *text, const struct suite *suite,
				size_t limit_bytes);

/**
 * An annotation for each failure; the last that Actions shows is for more.
 *
 * @param[in] workspace The repository's directory, whose files are named; NULL
 * for none.
 */
void suite_table_append_errors(struct string_builder *sb,
			       const struct suite *suite, const char *workspace);

/** `3 passed, 1 failed`, without a newline. */
void suite_table_append_counts(struct string_builder *sb,
			       const struct suite *suite);

/** `6.12.117-vmtest1.0tiny: failed in 1.4 s: exit status 3`. */
void suite_table_append_result(struct string_builder *sb,
			       const struct suite_item *item);

/**
 * What is going on, for a terminal of this size: a line for each kernel, as
 * many as fit (those at work and those that failed before the others), and the
 * counts, without a newline.
 *
 * @param[in] now_ms Monotonic.
 */
void suite_table_append_live(struct string_builder *sb, const struct suite *suite,
			     uint64_t now_ms, size_t rows, size_t columns);

/** The same in a line of a log, without results. */
void suite_table_append_status(struct string_builder *sb,
			       const struct suite *suite, uint64_t now_ms);

/* Its progress, as the log's status (log.h). */

enum suite_view_kind {
	/** A table on stderr, a terminal, that is drawn again and again. */
	SUITE_VIEW_LIVE,
	/** A line in the log for each result. */
	SUITE_VIEW_LINES,
	/** For GitHub Actions: on stdout, each result's log folds under it. */
	SUITE_VIEW_GROUPS,
	/** No results. */
	SUITE_VIEW_QUIET,
};

/** suite_run(), shown. */
_must_check_ struct error *suite_run_shown(const struct suite_run_options *options,
					   const struct suite *suite,
					   enum suite_view_kind kind);

/*
 * Its results as the XML of JUnit's Ant task, which CI systems read: one test
 * case a kernel.
 */

/**
 * Text for an attribute or an element; free(). Control characters and bytes
 * that are not UTF-8 are dropped.
 */
char *junit_text(const char *text);

/**
 * The document; free().
 *
 * @param[in] command What was run, for people.
 * @param[in] start When it was started.
 */
char *junit_format(const struct suite *suite, const char *command, time_t start,
		   uint64_t duration_ms);

#endif /* VM_SUITE_SUITE_REPORT_H */
