// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/cli/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/system.h"

struct progress {
	/** First: the log knows only this. */
	struct log_status status;
	char *what;
	uint64_t start_ms;
	uint64_t drawn_ms;
	/** Guards the rest, which the log's thread reads. */
	pthread_mutex_t mutex;
	struct progress_state state;
	char detail[128];
};

enum {
	REDRAW_MS = 100
};

static const char *const nouns[] = {
	[PROGRESS_COMPILED] = "files compiled",
	[PROGRESS_OBJECTS] = "git objects",
	[PROGRESS_FILES] = "files",
};

static void format_bytes(const struct progress_state *state, char *text,
			 size_t size)
{
	double seconds = (double)state->elapsed_ms / 1000;
	double megabytes = (double)state->done / 1e6;

	if (state->total)
		snprintf(text, size, ": %.1f of %.1f MB, %.1f MB/s", megabytes,
			 (double)state->total / 1e6,
			 seconds > 0 ? megabytes / seconds : 0);
	else
		snprintf(text, size, ": %.1f MB", megabytes);
}

static void format_amount(const struct progress_state *state, char *text,
			  size_t size)
{
	text[0] = '\0';
	if (state->unit == PROGRESS_TIME)
		return;
	if (state->unit == PROGRESS_BYTES)
		format_bytes(state, text, size);
	else if (state->total)
		snprintf(text, size, ": %" PRIu64 " of %" PRIu64 " %s",
			 state->done, state->total, nouns[state->unit]);
	// One that has turned out to be too low is no news.
	else if (state->estimate > state->done)
		snprintf(text, size, ": %" PRIu64 " of about %" PRIu64 " %s",
			 state->done, state->estimate, nouns[state->unit]);
	else
		snprintf(text, size, ": %" PRIu64 " %s", state->done,
			 nouns[state->unit]);
}

static void format_line(const struct progress_state *state, int decimals,
			char *text, size_t size)
{
	char amount[96];

	format_amount(state, amount, sizeof(amount));
	snprintf(text, size, "%s%s%s%.*f s", state->what, amount,
		 *amount ? ", " : ": ", decimals,
		 (double)state->elapsed_ms / 1000);
}

void progress_format(const struct progress_state *state, char *text, size_t size)
{
	format_line(state, 0, text, size);
}

void progress_format_end(const struct progress_state *state, char *text,
			 size_t size)
{
	struct progress_state end = *state;

	end.estimate = 0;
	format_line(&end, 1, text, size);
}

/** The log shows it. */
static void append_status(struct log_status *status,
			  const struct log_size *size, struct string_builder *sb)
{
	struct progress *progress = (struct progress *)status;
	char text[512];
	size_t length;

	pthread_mutex_lock(&progress->mutex);
	progress->state.elapsed_ms = monotonic_ms() - progress->start_ms;
	progress_format(&progress->state, text, sizeof(text));
	length = strlen(text);
	if (size && progress->detail[0])
		snprintf(text + length, sizeof(text) - length, "  %s",
			 progress->detail);
	pthread_mutex_unlock(&progress->mutex);
	length = strlen(text);
	string_builder_append_n(sb, text,
				size && size->columns < length ? size->columns
							       : length);
}

struct progress *progress_create(const char *what, enum progress_unit unit)
{
	struct progress *progress = calloc(1, sizeof(*progress));

	if (!progress)
		return NULL;
	progress->what = strdup(what);
	if (!progress->what) {
		free(progress);
		return NULL;
	}
	progress->status.append = append_status;
	progress->start_ms = monotonic_ms();
	progress->state.what = progress->what;
	progress->state.unit = unit;
	pthread_mutex_init(&progress->mutex, NULL);
	log_status_begin(&progress->status);
	return progress;
}

struct progress *progress_createf(enum progress_unit unit, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	_cleanup_free_ char *what = string_vformat(format, ap);
	va_end(ap);
	return progress_create(what, unit);
}

static void redraw(struct progress *progress)
{
	uint64_t now = monotonic_ms();

	if (progress->drawn_ms && now - progress->drawn_ms < REDRAW_MS)
		return;
	progress->drawn_ms = now;
	log_status_redraw();
}

void progress_update(struct progress *progress, uint64_t done, uint64_t total)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	progress->state.done = done;
	progress->state.total = total;
	pthread_mutex_unlock(&progress->mutex);
	redraw(progress);
}

void progress_estimate(struct progress *progress, uint64_t total)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	progress->state.estimate = total;
	pthread_mutex_unlock(&progress->mutex);
}

void progress_detail(struct progress *progress, const char *detail)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	snprintf(progress->detail, sizeof(progress->detail), "%s", detail);
	pthread_mutex_unlock(&progress->mutex);
	redraw(progress);
}

void progress_finish(struct progress *progress)
{
	char text[512];

	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	progress->state.elapsed_ms = monotonic_ms() - progress->start_ms;
	progress_format_end(&progress->state, text, sizeof(text));
	pthread_mutex_unlock(&progress->mutex);
	log_info("%s", text);
}

void progress_destroy(struct progress *progress)
{
	if (!progress)
		return;
	log_status_end(&progress->status);
	pthread_mutex_destroy(&progress->mutex);
	free(progress->what);
	free(progress);
}
