// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_LOG_H
#define COMMON_LOG_H

/**
 * @file
 *
 * What the program tells its user, on stderr: one line a message, prefixed
 * with the program's name. Results go to stdout and do not pass through here.
 * The level and the name are the program's only global state, set once by
 * command_main().
 */

#include "common/cleanup.h"

enum log_level {
	LOG_ERROR,
	LOG_WARNING,
	/** What a user wants to see of a run that goes well. */
	LOG_INFO,
	/** With --verbose only. */
	LOG_DEBUG,
};

/** @param[in] program Borrowed for the life of the process. */
void log_init(const char *program, enum log_level level);

enum log_level log_level(void);

/** Write one line; thread-safe. A progress line on the terminal gives way. */
_printf_(2, 3) void log_write(enum log_level level, const char *format, ...);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/**
 * Keep this line of text below all others on the terminal until it is replaced
 * or, with NULL, taken away. For progress.c; without effect where stderr is not
 * a terminal.
 */
void log_set_status(const char *line);

#endif /* COMMON_LOG_H */
