// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/table.h"
#include "common/base/text.h"

/** All that changes is guarded by the log's lock. */
struct progress {
	/** First: the log knows only this. */
	struct log_status status;
	enum progress_unit unit;
	char *what;
	uint64_t start_ms, done, total;
	char *detail;
};

static const char *const nouns[] = {
	[PROGRESS_COMPILED] = "files compiled",
	[PROGRESS_OBJECTS] = "git objects",
	[PROGRESS_FILES] = "files",
};

static void append_line(const struct progress *progress, bool is_end,
			struct string_builder *sb)
{
	double seconds = (double)(monotonic_ms() - progress->start_ms) / 1000;
	double megabytes = (double)progress->done / 1e6;
	bool is_guess = progress->unit == PROGRESS_COMPILED;

	string_builder_appendf(sb, "%s: ", progress->what);
	if (progress->unit == PROGRESS_BYTES && progress->total)
		string_builder_appendf(sb, "%.1f of %.1f MB, %.1f MB/s, ",
				       megabytes, (double)progress->total / 1e6,
				       seconds > 0 ? megabytes / seconds : 0);
	else if (progress->unit == PROGRESS_BYTES)
		string_builder_appendf(sb, "%.1f MB, ", megabytes);
	else if (progress->unit != PROGRESS_TIME) {
		string_builder_appendf(sb, "%" PRIu64, progress->done);
		if (is_guess ? !is_end && progress->total > progress->done
			     : progress->total > 0)
			string_builder_appendf(sb, " of %s%" PRIu64,
					       is_guess ? "about " : "",
					       progress->total);
		string_builder_appendf(sb, " %s, ", nouns[progress->unit]);
	}
	string_builder_appendf(sb, "%.*f s", is_end ? 1 : 0, seconds);
}

/** The log shows it. */
static void append_status(struct log_status *status,
			  const struct log_size *size, struct string_builder *sb)
{
	const struct progress *progress = (struct progress *)status;
	_cleanup_string_builder_ struct string_builder line = { 0 };
	_cleanup_table_ struct table table = { 0 };

	if (!size) {
		append_line(progress, false, sb);
		return;
	}
	append_line(progress, false, &line);
	if (progress->detail)
		string_builder_appendf(&line, "  %s", progress->detail);
	// It knows the columns that characters take.
	table_add_column(&table, "", TABLE_TEXT);
	table_add(&table, line.text);
	table_append_text(sb, &table, size->columns);
	sb->text[--sb->length] = '\0';
}

struct progress *progress_createf(enum progress_unit unit, const char *format, ...)
{
	struct progress *progress = memory_allocate(1, sizeof(*progress));
	va_list ap;

	va_start(ap, format);
	*progress = (struct progress){
		.status = { .append = append_status },
		.unit = unit,
		.what = string_vformat(format, ap),
		.start_ms = monotonic_ms(),
	};
	va_end(ap);
	text_hide_credentials(progress->what);
	log_status_begin(&progress->status);
	return progress;
}

void progress_update(struct progress *progress, uint64_t done, uint64_t total)
{
	if (!progress)
		return;
	log_lock();
	progress->done = done;
	if (total)
		progress->total = total;
	log_unlock();
}

void progress_detail(struct progress *progress, const char *detail)
{
	if (!progress)
		return;
	log_lock();
	free(progress->detail);
	progress->detail = string_copy(detail);
	log_unlock();
}

void progress_finish(struct progress *progress)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	if (!progress)
		return;
	append_line(progress, true, &sb);
	log_info("%s", sb.text);
}

void progress_destroy(struct progress *progress)
{
	if (!progress)
		return;
	log_status_end(&progress->status);
	free(progress->what);
	free(progress->detail);
	free(progress);
}
