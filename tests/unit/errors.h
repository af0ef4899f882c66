// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef TESTS_UNIT_ERRORS_H
#define TESTS_UNIT_ERRORS_H

/** @file What tests expect of an error, which all of these destroy. */

#include "common/base/error.h"

struct stream;

/** There is none; the test ends if there is. */
void expect_success(struct error *err);

/** There is one, in a line that has the words and no control characters. */
void expect_failure(struct error *err, const char *words);

/** The same, of a kind. */
void expect_kind(struct error *err, enum error_kind kind, const char *words);

/** A failure, or, where the words are NULL, success. @return Whether it is. */
bool expect_outcome(struct error *err, const char *words);

/** What a stream gives, unless it fails; closes it. */
_must_check_ struct error *expect_stream(struct stream *stream, const char *text);

/** Have SIGTERM come, for interrupt.h, in a fifth of a second. */
void terminate_soon(void);

#endif /* TESTS_UNIT_ERRORS_H */
