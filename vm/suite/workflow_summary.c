// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/workflow.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/markdown.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "vm/suite/suite.h"
#include "vm/suite/suite_table.h"

static const char left_out[] = "\nThere is no room for more.\n";

static void append_row(struct string_builder *sb, const struct suite_item *item)
{
	string_builder_append(sb, "| ");
	string_builder_append_markdown(sb, item->name);
	string_builder_appendf(sb, " | %s%s%s",
			       suite_state_is_failure(item->state) ? "**" : "",
			       suite_state_name(item->state),
			       suite_state_is_failure(item->state) ? "**" : "");
	for (int i = 0; i < SUITE_PHASE_COUNT; i++) {
		if (item->phase_ms[i])
			string_builder_appendf(sb, " | %.1f s",
					       (double)item->phase_ms[i] / 1000);
		else
			string_builder_append(sb, " | ");
	}
	string_builder_append(sb, " | ");
	string_builder_append_markdown(sb, item->reason ? item->reason : "");
	string_builder_append(sb, " |\n");
}

/** Append a part, unless it is too long. @return Whether it was appended. */
static bool append_part(struct string_builder *sb,
			const struct string_builder *part, size_t limit_bytes)
{
	return limit_bytes >= strlen(left_out) &&
	       string_builder_append_within(sb, part,
					    limit_bytes - strlen(left_out));
}

void workflow_append_summary(struct string_builder *sb, const char *title,
			     const char *text, const struct suite *suite,
			     const struct string_list *logs, size_t limit_bytes)
{
	_cleanup_string_builder_ struct string_builder head = STRING_BUILDER_INIT;
	size_t limit = sb->length + limit_bytes;
	bool room;

	string_builder_append(&head, "### ");
	string_builder_append_markdown(&head, title);
	string_builder_append(&head, "\n\n");
	if (text) {
		string_builder_append_markdown(&head, text);
		string_builder_append(&head, "\n\n");
	}
	suite_table_append_counts(&head, suite);
	string_builder_append(&head, "\n\n| kernel | result");
	for (int i = 0; i < SUITE_PHASE_COUNT; i++)
		string_builder_appendf(&head, " | %s",
				       suite_phase_name((enum suite_phase)i));
	string_builder_append(&head, " | |\n| --- | ---");
	for (int i = 0; i < SUITE_PHASE_COUNT; i++)
		string_builder_append(&head, " | ---:");
	string_builder_append(&head, " | --- |\n");
	room = append_part(sb, &head, limit);
	// First all rows, then the logs: the table is worth more.
	for (size_t i = 0; i < 2 * suite->count && room; i++) {
		_cleanup_string_builder_ struct string_builder part =
			STRING_BUILDER_INIT;
		size_t index = i % suite->count;

		if (i < suite->count)
			append_row(&part, &suite->items[index]);
		else if (*logs->items[index])
			markdown_append_details(&part, suite->items[index].name,
						logs->items[index]);
		room = append_part(sb, &part, limit);
	}
	if (!room && sb->length + strlen(left_out) <= limit)
		string_builder_append(sb, left_out);
}
