// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef TESTS_UNIT_BOT_REPORT_MADE_VERDICTS_H
#define TESTS_UNIT_BOT_REPORT_MADE_VERDICTS_H

/** @file Verdicts to write about, and what tests look for in the text. */

#include <stddef.h>

#include "bot/report/report.h"

enum {
	MADE_VERDICTS_MAX = 600,
};

/**
 * The first half of 6.12.117 for x86_64: failed, skipped, built, and so on; the
 * others of 6.1.50, all built. PATCH counts from 1. Static: the next call makes
 * the same anew.
 *
 * @param[in] log Of each that has a result; borrowed.
 */
struct verdict_list make_verdicts(size_t count, const char *log);

size_t count_of(const char *text, const char *part);

/** The part must be somewhere in the text. */
void expect_text(const char *text, const char *part);

#endif /* TESTS_UNIT_BOT_REPORT_MADE_VERDICTS_H */
