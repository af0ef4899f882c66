// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"

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

void progress_append(struct string_builder *sb,
		     const struct progress_state *state, bool is_end)
{
	double seconds = (double)state->elapsed_ms / 1000;
	double megabytes = (double)state->done / 1e6;

	string_builder_appendf(sb, "%s: ", state->what);
	if (state->unit == PROGRESS_BYTES && state->total)
		string_builder_appendf(sb, "%.1f of %.1f MB, %.1f MB/s, ",
				       megabytes, (double)state->total / 1e6,
				       seconds > 0 ? megabytes / seconds : 0);
	else if (state->unit == PROGRESS_BYTES)
		string_builder_appendf(sb, "%.1f MB, ", megabytes);
	else if (state->unit != PROGRESS_TIME) {
		string_builder_appendf(sb, "%" PRIu64, state->done);
		if (state->total)
			string_builder_appendf(sb, " of %" PRIu64, state->total);
		// One that has turned out to be too low is no news.
		else if (!is_end && state->estimate > state->done)
			string_builder_appendf(sb, " of about %" PRIu64,
					       state->estimate);
		string_builder_appendf(sb, " %s, ", nouns[state->unit]);
	}
	string_builder_appendf(sb, "%.*f s", is_end ? 1 : 0, seconds);
}

/** The log shows it. */
static void append_status(struct log_status *status,
			  const struct log_size *size, struct string_builder *sb)
{
	struct progress *progress = (struct progress *)status;

	pthread_mutex_lock(&progress->mutex);
	progress->state.elapsed_ms = monotonic_ms() - progress->start_ms;
	progress_append(sb, &progress->state, false);
	if (size && progress->detail[0])
		string_builder_appendf(sb, "  %s", progress->detail);
	pthread_mutex_unlock(&progress->mutex);
	if (size && size->columns < sb->length)
		sb->text[size->columns] = '\0';
}

struct progress *progress_createf(enum progress_unit unit, const char *format, ...)
{
	struct progress *progress = memory_allocate(1, sizeof(*progress));
	va_list ap;

	va_start(ap, format);
	progress->what = string_vformat(format, ap);
	va_end(ap);
	progress->status.append = append_status;
	progress->start_ms = monotonic_ms();
	progress->state.what = progress->what;
	progress->state.unit = unit;
	pthread_mutex_init(&progress->mutex, NULL);
	log_status_begin(&progress->status);
	return progress;
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
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	progress->state.elapsed_ms = monotonic_ms() - progress->start_ms;
	progress_append(&sb, &progress->state, true);
	pthread_mutex_unlock(&progress->mutex);
	log_info("%s", sb.text);
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
