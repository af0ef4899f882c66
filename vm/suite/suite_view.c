// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/github/workflow.h"
#include "common/process/process.h"

enum {
	/** Of a log that folds. */
	GROUP_LINES = 1000,
	GROUP_BYTES = 256 << 10,
};

struct suite_view {
	struct suite_observer observer;
	enum suite_view_kind kind;
	const struct suite *suite;
	struct log_status status;
	/** The items as far as they are shown; changed under the log's lock. */
	struct suite shown;
};

/** The log shows it. */
static void append_status(struct log_status *status,
			  const struct log_size *size, struct string_builder *sb)
{
	struct suite_view *view =
		(struct suite_view *)((char *)status -
				      offsetof(struct suite_view, status));
	uint64_t now_ms = monotonic_ms();

	if (size)
		suite_table_append_live(sb, &view->shown, now_ms, size->rows,
					size->columns);
	else
		suite_table_append_status(sb, &view->shown, now_ms);
}

/** Have what the log's thread shows of an item be as it is now. */
static void show_item(struct suite_view *view, const struct suite_item *item)
{
	struct suite_item *shown = &view->shown.items[item - view->suite->items];
	struct suite_item copy = *item;

	copy.reason = string_copy(item->reason);
	copy.kernel = copy.path = copy.file = NULL;
	copy.log_path = copy.console_path = copy.log_end = NULL;
	copy.tests = NULL;
	log_lock();
	free(shown->reason);
	*shown = copy;
	log_unlock();
}

static void view_changed(struct suite_observer *observer,
			 const struct suite_item *item)
{
	struct suite_view *view = (struct suite_view *)observer;
	// An end, or a second attempt.
	bool is_news = suite_state_is_end(item->state) ||
		       (item->state == SUITE_WAITING && item->reason);
	const size_t count = view->suite->count;
	size_t ended = 0;
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	show_item(view, item);
	if (!is_news)
		return;
	for (size_t i = 0; i < count; i++)
		ended += suite_state_is_end(view->suite->items[i].state);
	if (item->state == SUITE_WAITING)
		string_builder_appendf(&sb, "%s: %s; trying once more",
				       item->name, item->reason);
	else
		suite_table_append_result(&sb, item);
	if (item->state != SUITE_WAITING && count > 1)
		string_builder_appendf(&sb, " (%zu of %zu kernels)", ended,
				       count);
	if (view->kind == SUITE_VIEW_LINES)
		log_info("%s", sb.text);
	if (view->kind != SUITE_VIEW_GROUPS)
		return;
	_cleanup_free_ char *log =
		output_tail(item->log_path, GROUP_LINES, GROUP_BYTES);
	_cleanup_string_builder_ struct string_builder group = { 0 };
	workflow_append_group(&group, sb.text, log);
	fputs(group.text, stdout);
	fflush(stdout);
}

struct error *suite_run_shown(const struct suite_run_options *options,
			      const struct suite *suite,
			      enum suite_view_kind kind)
{
	struct error *err;
	struct suite_view view = {
		.observer = { view_changed },
		.kind = kind,
		.suite = suite,
		.status = { .append = append_status },
		.shown = { memory_allocate(suite->count + 1,
					   sizeof(*suite->items)),
			   suite->count },
	};

	for (size_t i = 0; i < suite->count; i++)
		show_item(&view, &suite->items[i]);
	log_status_begin(&view.status);
	err = suite_run(options, suite, &view.observer);
	log_status_end(&view.status);
	suite_deinit(&view.shown);
	return err;
}
