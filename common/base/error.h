// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_ERROR_H
#define COMMON_BASE_ERROR_H

/**
 * @file
 *
 * Errors as values.
 *
 * A function that can fail returns `struct error *`: NULL is success, anything
 * else is owned by the caller, who returns it, wraps it, catches it or reports
 * it. The message is one line, outermost context first, the remedy last;
 * control characters in what it quotes become `?` (text_make_line()). An error
 * is logged where it stops travelling, never on the way.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct error;

/** What a caller may decide by. Everything else is for people to read. */
enum error_kind {
	/** The command line or a file that the user wrote is wrong. */
	ERROR_USAGE,
	/** What was asked for is not there. */
	ERROR_NOT_FOUND,
	/** The name is taken. */
	ERROR_EXISTS,
	/** It may succeed later: a network fault, a server that is busy. */
	ERROR_RETRY,
	/** SIGINT or SIGTERM arrived. */
	ERROR_CANCELLED,
	/** A system call failed. */
	ERROR_OS,
	/** Anything else. */
	ERROR_OTHER,
};

/** Make an error. */
_must_check_ _returns_nonnull_ _printf_(2, 3) struct error *error_create(
	enum error_kind kind, const char *format, ...);

/**
 * Make an error of kind ERROR_OS from an errno value, whose text is appended
 * to the message after a colon.
 */
_must_check_ _returns_nonnull_ _printf_(2, 3) struct error *error_create_os(
	int errnum, const char *format, ...);

/**
 * Put context in front of an error's message; the kind stays.
 *
 * @param[in] err Consumed. NULL gives NULL.
 */
_must_check_ _printf_(2, 3) struct error *error_wrap(struct error *err,
						     const char *format, ...);

#ifdef VMTEST_ANALYZER
/*
 * clang 14's and gcc 12's analyzers know what is in another file nor
 * returns_nonnull, and would follow paths on which an error that was made is
 * NULL. This says in C that it is not.
 */
static inline struct error *error_assume_made(struct error *err)
{
	if (!err)
		__builtin_unreachable();
	return err;
}

#define error_create(...) error_assume_made(error_create(__VA_ARGS__))
#define error_create_os(...) error_assume_made(error_create_os(__VA_ARGS__))
#define error_wrap(err, ...)                                                   \
	({                                                                     \
		struct error *wrapped = (err);                                 \
		wrapped ? error_assume_made(error_wrap(wrapped, __VA_ARGS__))  \
			: NULL;                                                \
	})
#endif

/** Keep the first of several, the reason for the others. @param[in] err Consumed. */
void error_keep_first(struct error **first, struct error *err);

/** If @p *err is of this kind, destroy it, set it to NULL and return true. */
bool error_catch(struct error **err, enum error_kind kind);

bool error_is(const struct error *err, enum error_kind kind);

/** The whole line, without a newline; valid as long as the error. */
const char *error_message(const struct error *err);

void error_destroy(struct error *err);

DEFINE_CLEANUP(error, struct error *, error_destroy)
#define _cleanup_error_ _cleanup_(cleanup_error)

#endif /* COMMON_BASE_ERROR_H */
