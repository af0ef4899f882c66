// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/process.h"

struct progress {
	char *what;
	enum progress_unit unit;
	uint64_t start_ms;
	uint64_t drawn_ms;
	uint64_t done;
	uint64_t total;
	char detail[128];
};

enum {
	REDRAW_MS = 100
};

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
	progress->unit = unit;
	progress->start_ms = monotonic_ms();
	return progress;
}

static void format_amount(const struct progress *progress, char *text, size_t size)
{
	double seconds = (double)(monotonic_ms() - progress->start_ms) / 1000;
	double megabytes = (double)progress->done / 1e6;

	if (progress->unit == PROGRESS_BYTES && progress->total)
		snprintf(text, size, "%.1f of %.1f MB, %.1f MB/s", megabytes,
			 (double)progress->total / 1e6,
			 seconds > 0 ? megabytes / seconds : 0);
	else if (progress->unit == PROGRESS_BYTES)
		snprintf(text, size, "%.1f MB", megabytes);
	else if (progress->total)
		snprintf(text, size, "%llu of %llu",
			 (unsigned long long)progress->done,
			 (unsigned long long)progress->total);
	else
		snprintf(text, size, "%llu", (unsigned long long)progress->done);
}

static void progress_draw(struct progress *progress)
{
	uint64_t now = monotonic_ms();
	char amount[96], line[512];

	if (progress->drawn_ms && now - progress->drawn_ms < REDRAW_MS)
		return;
	progress->drawn_ms = now;
	format_amount(progress, amount, sizeof(amount));
	snprintf(line, sizeof(line), "%s: %s, %.0f s%s%s", progress->what,
		 amount, (double)(now - progress->start_ms) / 1000,
		 progress->detail[0] ? "  " : "", progress->detail);
	if (log_level() >= LOG_INFO)
		log_set_status(line);
}

void progress_update(struct progress *progress, uint64_t done, uint64_t total)
{
	if (!progress)
		return;
	progress->done = done;
	progress->total = total;
	progress_draw(progress);
}

void progress_detail(struct progress *progress, const char *detail)
{
	if (!progress)
		return;
	snprintf(progress->detail, sizeof(progress->detail), "%s", detail);
	progress_draw(progress);
}

void progress_finish(struct progress *progress)
{
	char amount[96];

	if (!progress)
		return;
	log_set_status(NULL);
	format_amount(progress, amount, sizeof(amount));
	log_info("%s: %s, %.1f s", progress->what, amount,
		 (double)(monotonic_ms() - progress->start_ms) / 1000);
}

void progress_destroy(struct progress *progress)
{
	if (!progress)
		return;
	log_set_status(NULL);
	free(progress->what);
	free(progress);
}
