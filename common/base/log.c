// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"

enum {
	REDRAW_MS = 100,
};

static struct {
	const char *program;
	enum log_level level;
	uint64_t silence_ms;
	/** When the last line was written, or the status drawn; monotonic. */
	uint64_t written_ms;
	/** The latest that has begun, with all others below it. */
	struct log_status *status;
	/** What stands on the terminal's last lines; NULL for nothing. */
	char *text;
	pthread_mutex_t mutex;
	/** Draws the status; 0 before the first. */
	pthread_t ticker;
	pthread_cond_t begun;
} logger = {
	.program = "vmtest",
	.level = LOG_INFO,
	.silence_ms = LOG_SILENCE_MS,
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.begun = PTHREAD_COND_INITIALIZER,
};

static const char *const level_prefixes[] = {
	[LOG_ERROR] = "error: ",
	[LOG_WARNING] = "warning: ",
	[LOG_INFO] = "",
	[LOG_DEBUG] = "",
};

void log_init(const char *program, enum log_level level, uint64_t silence_ms)
{
	logger.program = program;
	logger.level = level;
	logger.silence_ms = silence_ms;
	logger.written_ms = monotonic_ms();
}

enum log_level log_level(void)
{
	return logger.level;
}

void log_lock(void)
{
	pthread_mutex_lock(&logger.mutex);
}

void log_unlock(void)
{
	pthread_mutex_unlock(&logger.mutex);
}

/** Take away what stands there, and go to where it began. */
static void erase(void)
{
	size_t lines = 0;

	if (!logger.text)
		return;
	for (const char *p = logger.text; *p; p++)
		lines += *p == '\n';
	if (lines)
		fprintf(stderr, "\r\033[%zuA\033[J", lines);
	else
		fputs("\r\033[K", stderr);
}

/** Write a line; the log is locked. */
static void write_line(enum log_level level, const char *text)
{
	// Put in the background, what was drawn is others' to write over.
	if (!foreground_has_terminal(STDERR_FILENO))
		free(take_ptr(logger.text));
	erase();
	fprintf(stderr, "%s: %s%s\n%s", logger.program, level_prefixes[level],
		text, logger.text ? logger.text : "");
	fflush(stderr);
	logger.written_ms = monotonic_ms();
}

void log_write(enum log_level level, const char *format, ...)
{
	va_list ap;

	if (level > logger.level)
		return;
	va_start(ap, format);
	_cleanup_free_ char *text = string_vformat(format, ap);
	va_end(ap);
	text_hide_credentials(text_make_safe(text));
	log_lock();
	write_line(level, text);
	log_unlock();
}

/** Show what is at work; the log is locked. */
static void show(bool is_terminal)
{
	struct string_builder sb = { 0 };
	struct winsize window;
	struct log_size size = { 24, 80 };

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1)
		size = (struct log_size){ window.ws_row, window.ws_col };
	// A line that wraps could not be erased again.
	size.columns--;
	logger.status->append(logger.status, is_terminal ? &size : NULL, &sb);
	_cleanup_free_ char *text = text_make_safe(string_builder_take(&sb));
	if (!is_terminal) {
		write_line(LOG_INFO, text);
		return;
	}
	logger.written_ms = monotonic_ms();
	if (logger.text && strcmp(logger.text, text) == 0)
		return;
	erase();
	free(logger.text);
	logger.text = take_ptr(text);
	fputs(logger.text, stderr);
	fflush(stderr);
}

/** Runs from the first status on, and waits while there is none. */
static void *tick(void *arg)
{
	(void)arg;
	log_lock();
	for (;;) {
		bool is_terminal = foreground_has_terminal(STDERR_FILENO);
		uint64_t due_ms = logger.written_ms +
				  (is_terminal ? REDRAW_MS : logger.silence_ms);
		const struct timespec due = {
			.tv_sec = (time_t)(due_ms / 1000),
			.tv_nsec = (long)(due_ms % 1000) * 1000000,
		};

		if (!logger.status)
			pthread_cond_wait(&logger.begun, &logger.mutex);
		else if (monotonic_ms() >= due_ms)
			show(is_terminal);
		else
			pthread_cond_clockwait(&logger.begun, &logger.mutex,
					       CLOCK_MONOTONIC, &due);
	}
	return NULL;
}

void log_status_begin(struct log_status *status)
{
	if (logger.level < LOG_INFO)
		return;
	log_lock();
	status->below = logger.status;
	logger.status = status;
	// Without it, the log is silent for longer, which is no failure.
	if (!logger.ticker && thread_create(&logger.ticker, tick, NULL) != 0)
		logger.ticker = 0;
	pthread_cond_signal(&logger.begun);
	log_unlock();
}

void log_status_end(struct log_status *status)
{
	struct log_status **p = &logger.status;

	if (logger.level < LOG_INFO)
		return;
	log_lock();
	while (*p && *p != status)
		p = &(*p)->below;
	if (*p)
		*p = status->below;
	if (foreground_has_terminal(STDERR_FILENO))
		erase();
	fflush(stderr);
	free(take_ptr(logger.text));
	log_unlock();
}
