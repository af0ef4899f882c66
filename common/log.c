// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/string_builder.h"

static struct {
	const char *program;
	enum log_level level;
	/** What stands on the terminal's last line, without a newline. */
	char status[512];
	pthread_mutex_t mutex;
} logger = {
	.program = "vmtest",
	.level = LOG_INFO,
	.mutex = PTHREAD_MUTEX_INITIALIZER,
};

static const char *const level_prefixes[] = {
	[LOG_ERROR] = "error: ",
	[LOG_WARNING] = "warning: ",
	[LOG_INFO] = "",
	[LOG_DEBUG] = "",
};

#define ERASE_LINE "\r\033[K"

void log_init(const char *program, enum log_level level)
{
	logger.program = program;
	logger.level = level;
}

enum log_level log_level(void)
{
	return logger.level;
}

static size_t terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		return size.ws_col;
	return 80;
}

void log_write(enum log_level level, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int length;

	if (level > logger.level)
		return;
	va_start(ap, format);
	length = vasprintf(&text, format, ap);
	va_end(ap);
	if (length < 0) {
		text = NULL;
		return;
	}
	pthread_mutex_lock(&logger.mutex);
	fprintf(stderr, "%s%s: %s%s\n%s", logger.status[0] ? ERASE_LINE : "",
		logger.program, level_prefixes[level], text, logger.status);
	fflush(stderr);
	pthread_mutex_unlock(&logger.mutex);
}

void log_set_status(const char *line)
{
	size_t width;

	if (!isatty(STDERR_FILENO))
		return;
	pthread_mutex_lock(&logger.mutex);
	if (line || logger.status[0])
		fputs(ERASE_LINE, stderr);
	snprintf(logger.status, sizeof(logger.status), "%s", line ? line : "");
	// A line that wraps could not be erased again.
	width = terminal_columns() - 1;
	if (width < sizeof(logger.status))
		logger.status[width] = '\0';
	fputs(logger.status, stderr);
	fflush(stderr);
	pthread_mutex_unlock(&logger.mutex);
}
