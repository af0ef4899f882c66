// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_table.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/string_builder.h"
#include "vm/suite/suite.h"

enum {
	/** The longest of the states' names. */
	STATE_WIDTH = 11,
	PHASE_WIDTH = 9,
	/** For the counts, and the line that the cursor stands in. */
	LIVE_RESERVED_ROWS = 2,
	RANK_COUNT = 4,
};

static int name_width(const struct suite *suite)
{
	size_t width = strlen("kernel");

	for (size_t i = 0; i < suite->count; i++) {
		size_t length = strlen(suite->items[i].name);

		if (length > width)
			width = length;
	}
	return (int)width;
}

static void append_phase(struct string_builder *sb, uint64_t ms)
{
	char text[32] = "-";

	if (ms)
		snprintf(text, sizeof(text), "%.1f s", (double)ms / 1000);
	string_builder_appendf(sb, " %*s", PHASE_WIDTH, text);
}

void suite_table_append(struct string_builder *sb, const struct suite *suite)
{
	int width = name_width(suite);

	string_builder_appendf(sb, "%-*s  %-*s", width, "kernel", STATE_WIDTH,
			       "result");
	for (int i = 0; i < SUITE_PHASE_COUNT; i++)
		string_builder_appendf(sb, " %*s", PHASE_WIDTH,
				       suite_phase_name((enum suite_phase)i));
	string_builder_append_char(sb, '\n');
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];

		string_builder_appendf(sb, "%-*s  %-*s", width, item->name,
				       STATE_WIDTH,
				       suite_state_name(item->state));
		for (int j = 0; j < SUITE_PHASE_COUNT; j++)
			append_phase(sb, item->phase_ms[j]);
		if (item->reason)
			string_builder_appendf(sb, "  %s", item->reason);
		string_builder_append_char(sb, '\n');
	}
}

void suite_table_append_counts(struct string_builder *sb,
			       const struct suite *suite)
{
	size_t counts[SUITE_STATE_COUNT];
	bool any = false;

	suite_count(suite, counts);
	for (int i = 0; i < SUITE_STATE_COUNT; i++) {
		if (!counts[i])
			continue;
		string_builder_appendf(sb, "%s%zu %s", any ? ", " : "", counts[i],
				       suite_state_name((enum suite_state)i));
		any = true;
	}
}

void suite_table_append_result(struct string_builder *sb,
			       const struct suite_item *item)
{
	string_builder_appendf(sb, "%s: %s in %.1f s%s%s", item->name,
			       suite_state_name(item->state),
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

/** The rank up to which all fit, and how many of the next one do. */
static void fit(const struct suite *suite, size_t rows, int *rank_ret,
		size_t *of_next_ret)
{
	size_t counts[RANK_COUNT] = { 0 };
	int rank = 0;

	for (size_t i = 0; i < suite->count; i++)
		counts[item_rank(&suite->items[i])]++;
	while (rank < RANK_COUNT && counts[rank] <= rows)
		rows -= counts[rank++];
	*rank_ret = rank;
	*of_next_ret = rows;
}

/** Append a line that is no wider than the terminal: it must not wrap. */
static void append_line(struct string_builder *sb, const char *line,
			size_t columns)
{
	size_t length = strlen(line);

	string_builder_append_n(sb, line, length < columns ? length : columns);
	string_builder_append_char(sb, '\n');
}

static void append_live_item(struct string_builder *sb,
			     const struct suite_item *item, int width,
			     uint64_t now_ms, size_t columns)
{
	char line[1024];
	char seconds[32] = "";
	bool ended = suite_state_is_end(item->state);

	if (ended)
		snprintf(seconds, sizeof(seconds), "%.1f s",
			 (double)suite_item_total_ms(item) / 1000);
	else if (item->state != SUITE_WAITING)
		snprintf(seconds, sizeof(seconds), "%llu s",
			 (unsigned long long)(now_ms - item->since_ms) / 1000);
	snprintf(line, sizeof(line), "%-*s  %-*s %8s  %s", width, item->name,
		 STATE_WIDTH, suite_state_name(item->state), seconds,
		 item->reason ? item->reason : "");
	for (size_t n = strlen(line); n && line[n - 1] == ' '; n--)
		line[n - 1] = '\0';
	append_line(sb, line, columns);
}

size_t suite_table_append_live(struct string_builder *sb,
			       const struct suite *suite, uint64_t now_ms,
			       size_t rows, size_t columns)
{
	_cleanup_string_builder_ struct string_builder counts =
		STRING_BUILDER_INIT;
	int width = name_width(suite);
	size_t lines = 1;
	size_t of_next;
	int rank;

	fit(suite, rows > LIVE_RESERVED_ROWS ? rows - LIVE_RESERVED_ROWS : 0,
	    &rank, &of_next);
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];

		if (item_rank(item) > rank ||
		    (item_rank(item) == rank && !of_next))
			continue;
		of_next -= item_rank(item) == rank;
		append_live_item(sb, item, width, now_ms, columns);
		lines++;
	}
	suite_table_append_counts(&counts, suite);
	if (counts.text)
		append_line(sb, counts.text, columns);
	return lines;
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
					       suite_state_name(item->state),
					       (now_ms - item->since_ms) / 1000);
	}
}
