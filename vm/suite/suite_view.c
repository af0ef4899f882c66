// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_view.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/string_builder.h"
#include "common/base/system.h"
#include "common/github/workflow_command.h"
#include "vm/suite/log_text.h"
#include "vm/suite/suite.h"
#include "vm/suite/suite_table.h"

enum {
	/** Of a log that folds. */
	GROUP_LINES = 1000,
	GROUP_BYTES = 256 << 10,
};

/** What cannot be shown is missed, and no reason to end the tests. */
static void write_text(FILE *file, struct string_builder *sb)
{
	_cleanup_free_ char *text = NULL;

	text = string_builder_take(sb);
	if (text)
		fputs(text, file);
	fflush(file);
}

/** Append what takes the table away: to its first line, and all below. */
static void append_erase(struct string_builder *sb, const struct suite_view *view)
{
	if (view->lines)
		string_builder_appendf(sb, "\r\033[%zuA\033[J", view->lines);
}

static void draw(struct suite_view *view)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	// Others write there now, over the table.
	if (!foreground_has_terminal(STDERR_FILENO)) {
		view->lines = 0;
		return;
	}
	ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	append_erase(&sb, view);
	view->lines = suite_table_append_live(&sb, view->suite, monotonic_ms(),
					      size.ws_row ? size.ws_row : 24,
					      size.ws_col ? size.ws_col : 80);
	write_text(stderr, &sb);
}

static void live_changed(struct suite_observer *observer,
			 const struct suite_item *item)
{
	(void)item;
	draw((struct suite_view *)observer);
}

static void live_tick(struct suite_observer *observer)
{
	draw((struct suite_view *)observer);
}

/** Whether this is news: an end, or a second attempt. */
static bool is_result(const struct suite_item *item)
{
	return suite_state_is_end(item->state) ||
	       (item->state == SUITE_WAITING && item->reason);
}

static void append_news(struct string_builder *sb, const struct suite_view *view,
			const struct suite_item *item)
{
	size_t ended = 0;

	if (item->state == SUITE_WAITING) {
		string_builder_appendf(sb, "%s: %s; trying once more",
				       item->name, item->reason);
		return;
	}
	for (size_t i = 0; i < view->suite->count; i++)
		ended += suite_state_is_end(view->suite->items[i].state);
	suite_table_append_result(sb, item);
	if (view->suite->count > 1)
		string_builder_appendf(sb, " (%zu of %zu kernels)", ended,
				       view->suite->count);
}

static void lines_changed(struct suite_observer *observer,
			  const struct suite_item *item)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;

	if (!is_result(item))
		return;
	append_news(&sb, (struct suite_view *)observer, item);
	text = string_builder_take(&sb);
	if (text)
		log_info("%s", text);
}

static void groups_changed(struct suite_observer *observer,
			   const struct suite_item *item)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_string_builder_ struct string_builder news = STRING_BUILDER_INIT;
	_cleanup_free_ char *title = NULL;
	_cleanup_free_ char *log = NULL;
	char token[WORKFLOW_TOKEN_SIZE];

	if (!is_result(item))
		return;
	append_news(&news, (struct suite_view *)observer, item);
	title = string_builder_take(&news);
	error_destroy(
		log_text_tail(item->log_path, GROUP_LINES, GROUP_BYTES, &log));
	if (!title || !log)
		return;

	_cleanup_error_ struct error *err = workflow_make_token(token);

	if (err)
		return;
	workflow_append_group(&sb, title, log, token);
	write_text(stdout, &sb);
}

/** Where there is no table, say now and then that there is life. */
static void log_tick(struct suite_observer *observer)
{
	const struct suite_view *view = (struct suite_view *)observer;
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;

	if (!log_is_silent())
		return;
	suite_table_append_status(&sb, view->suite, monotonic_ms());
	text = string_builder_take(&sb);
	if (text)
		log_info("%s", text);
}

static void quiet_changed(struct suite_observer *observer,
			  const struct suite_item *item)
{
	(void)observer;
	(void)item;
}

static const struct suite_observer observers[] = {
	[SUITE_VIEW_LIVE] = { live_changed, live_tick },
	[SUITE_VIEW_LINES] = { lines_changed, log_tick },
	[SUITE_VIEW_GROUPS] = { groups_changed, log_tick },
	[SUITE_VIEW_QUIET] = { quiet_changed, log_tick },
};

void suite_view_init(struct suite_view *view, enum suite_view_kind kind,
		     const struct suite *suite)
{
	*view = (struct suite_view){
		.observer = observers[kind],
		.kind = kind,
		.suite = suite,
	};
}

void suite_view_deinit(struct suite_view *view)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	if (foreground_has_terminal(STDERR_FILENO))
		append_erase(&sb, view);
	view->lines = 0;
	write_text(stderr, &sb);
}
