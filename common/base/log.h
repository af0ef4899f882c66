// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

/**
 * @file
 *
 * What the program tells its user, on stderr: one line a message, prefixed
 * with the program's name. Results go to stdout and do not pass through here.
 * What command_main() sets here, and what is at work, are the program's only
 * global state.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct string_builder;

enum log_level {
	LOG_ERROR,
	LOG_WARNING,
	/** What a user wants to see of a run that goes well. */
	LOG_INFO,
	/** With --verbose only. */
	LOG_DEBUG,
};

/** The longest that a log is silent while something is at work: the default. */
enum {
	LOG_SILENCE_MS = 30000
};

/**
 * @param[in] program Borrowed for the life of the process.
 * @param[in] silence_ms Instead of LOG_SILENCE_MS.
 */
void log_init(const char *program, enum log_level level, uint64_t silence_ms);

enum log_level log_level(void);

/**
 * Write one line; thread-safe. A progress line on the terminal gives way. What
 * it quotes moves no terminal, and is no workflow command (text_make_safe()).
 */
_printf_(2, 3) void log_write(enum log_level level, const char *format, ...);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

struct log_size {
	size_t rows, columns;
};

/**
 * Something that takes long, to be shown while it is at work: in the foreground
 * of a terminal by lines that stay below all others and are redrawn ten times a
 * second, elsewhere by a line of the log whenever that has been silent for too
 * long. A thread sees to both, since what takes long is mostly in a library or
 * waits for a child, where nobody looks at a clock.
 */
struct log_status {
	/**
	 * Append the text, without a newline at its end; on the log's thread,
	 * while the log is locked.
	 *
	 * @param[in] size How many lines a terminal has room for, and how many
	 * columns each; NULL for one line of the log.
	 */
	void (*append)(struct log_status *status, const struct log_size *size,
		       struct string_builder *sb);
	/** The log's: what goes on again when this ends. */
	struct log_status *below;
};

/** Show this until log_status_end(). The latest that has begun is shown. */
void log_status_begin(struct log_status *status);
void log_status_end(struct log_status *status);

/** What append() reads changes only between these, which log nothing. */
void log_lock(void);
void log_unlock(void);

#endif /* COMMON_BASE_LOG_H */
