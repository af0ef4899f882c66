// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_report.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/github/workflow.h"

static void make_table(const struct suite *suite, struct table *table)
{
	table_add_column(table, "kernel", TABLE_TEXT);
	table_add_column(table, "result", TABLE_TEXT);
	for (int i = 0; i < SUITE_PHASE_COUNT; i++)
		table_add_column(table, suite_phase_names[i], TABLE_NUMBER);
	table_add_column(table, "", TABLE_TEXT);
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];

		table_add(table, item->name);
		table_add_status(table, suite_state_names[item->state],
				 suite_state_is_failure(item->state));
		for (int j = 0; j < SUITE_PHASE_COUNT; j++)
			table_add_seconds(table, item->phase_ms[j]);
		table_add(table, item->reason);
	}
}

void suite_table_append(struct string_builder *sb, const struct suite *suite)
{
	_cleanup_table_ struct table table = { 0 };
	_cleanup_table_ struct table tests = { 0 };

	make_table(suite, &table);
	table_append_text(sb, &table, 0);
	if (!suite_tests_make_table(suite, &tests))
		return;
	string_builder_append_char(sb, '\n');
	table_append_text(sb, &tests, 0);
}

void suite_table_append_summary(struct string_builder *sb, const char *title,
				const char *text, const struct suite *suite,
				size_t limit_bytes)
{
	_cleanup_table_ struct table table = { 0 };
	_cleanup_table_ struct table tests = { 0 };
	size_t end = sb->length + limit_bytes;

	make_table(suite, &table);
	for (size_t i = 0; i < suite->count; i++) {
		if (suite->items[i].log_end)
			table_add_fold(&table, suite->items[i].name,
				       suite->items[i].log_end);
	}
	string_builder_append(sb, "### ");
	string_builder_append_markdown(sb, title);
	string_builder_append(sb, "\n\n");
	if (text) {
		string_builder_append_markdown(sb, text);
		string_builder_append(sb, "\n\n");
	}
	suite_table_append_counts(sb, suite);
	string_builder_append(sb, "\n\n");
	table_append_markdown(sb, &table, end);
	if (!suite_tests_make_table(suite, &tests))
		return;
	string_builder_append(sb, "\n");
	table_append_markdown(sb, &tests, end);
}

/** A file as the workflow names it: below its repository. */
static struct workflow_place find_place(const struct suite_item *item,
					const char *workspace)
{
	const char *file = item->file;

	if (!file || !workspace || !path_is_below(file, workspace))
		return (struct workflow_place){ 0 };
	file += strlen(workspace);
	return (struct workflow_place){ file + strspn(file, "/"), item->line };
}

void suite_table_append_errors(struct string_builder *sb,
			       const struct suite *suite, const char *workspace)
{
	_cleanup_string_list_ struct string_list titles = { 0 };
	_cleanup_string_list_ struct string_list reasons = { 0 };
	_cleanup_free_ struct workflow_place *places =
		memory_allocate(suite->count, sizeof(*places));

	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];

		if (!suite_state_is_failure(item->state))
			continue;
		places[titles.count] = find_place(item, workspace);
		string_list_addf(&titles, "%s: %s", item->name,
				 suite_state_names[item->state]);
		string_list_add(&reasons, item->reason ? item->reason : "");
	}
	workflow_append_errors(sb, &titles, &reasons, places);
}

void suite_table_append_counts(struct string_builder *sb,
			       const struct suite *suite)
{
	const char *separator = "";

	for (int state = 0; state < SUITE_STATE_COUNT; state++) {
		size_t count = 0;

		for (size_t i = 0; i < suite->count; i++)
			count += (int)suite->items[i].state == state;
		if (!count)
			continue;
		string_builder_appendf(sb, "%s%zu %s", separator, count,
				       suite_state_names[state]);
		separator = ", ";
	}
}

void suite_table_append_result(struct string_builder *sb,
			       const struct suite_item *item)
{
	string_builder_appendf(sb, "%s: %s in %.1f s%s%s", item->name,
			       suite_state_names[item->state],
			       (double)suite_item_total_ms(item) / 1000,
			       item->reason ? ": " : "",
			       item->reason ? item->reason : "");
}

/** Which lines are worth their place on a terminal that is too small: 0 first. */
static int item_rank(const struct suite_item *item)
{
	if (item->state == SUITE_WAITING)
		return 2;
	if (!suite_state_is_end(item->state))
		return 0;
	return suite_state_is_failure(item->state) ? 1 : 3;
}

void suite_table_append_live(struct string_builder *sb, const struct suite *suite,
			     uint64_t now_ms, size_t rows, size_t columns)
{
	_cleanup_table_ struct table table = { 0 };
	_cleanup_string_builder_ struct string_builder counts = { 0 };
	_cleanup_free_ bool *shown = memory_allocate(suite->count + 1, 1);
	// The last row is the counts'.
	size_t left = rows ? rows - 1 : 0;

	for (int rank = 0; rank <= 3; rank++) {
		for (size_t i = 0; i < suite->count && left; i++) {
			if (item_rank(&suite->items[i]) != rank)
				continue;
			shown[i] = true;
			left--;
		}
	}
	table_add_column(&table, "", TABLE_TEXT);
	table_add_column(&table, "", TABLE_TEXT);
	table_add_column(&table, "", TABLE_NUMBER);
	table_add_column(&table, "", TABLE_TEXT);
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];

		if (!shown[i])
			continue;
		table_add(&table, item->name);
		table_add(&table, suite_state_names[item->state]);
		if (suite_state_is_end(item->state))
			table_add_seconds(&table, suite_item_total_ms(item));
		else if (item->state == SUITE_WAITING)
			table_add(&table, "");
		else
			table_addf(&table, "%" PRIu64 " s",
				   (now_ms - item->since_ms) / 1000);
		table_add(&table, item->reason);
	}
	table_append_text(sb, &table, columns);
	suite_table_append_counts(&counts, suite);
	string_builder_appendf(sb, "%.*s", (int)columns,
			       counts.text ? counts.text : "");
}

void suite_table_append_status(struct string_builder *sb,
			       const struct suite *suite, uint64_t now_ms)
{
	string_builder_append(sb, "kernels: ");
	suite_table_append_counts(sb, suite);
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];

		if (item_rank(item) == 0)
			string_builder_appendf(sb, "; %s is %s, %" PRIu64 " s",
					       item->name,
					       suite_state_names[item->state],
					       (now_ms - item->since_ms) / 1000);
	}
}
