// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/result_table.h"

#include "common/base/markdown.h"
#include "common/base/string_builder.h"

void result_table_append_head(struct string_builder *sb, enum phase last)
{
	string_builder_append(sb, "| Kernel | Architecture | Result | Size |");
	for (int i = 0; i <= (int)last; i++)
		string_builder_appendf(sb, " %s |", phase_name((enum phase)i));
	string_builder_append(sb, " |\n| --- | --- | --- | ---: |");
	for (int i = 0; i <= (int)last; i++)
		string_builder_append(sb, " ---: |");
	string_builder_append(sb, " --- |\n");
}

void result_table_append_row(struct string_builder *sb, enum phase last,
			     const struct result_row *row)
{
	const char *mark = row->failed ? "**" : "";

	string_builder_append(sb, "| ");
	string_builder_append_markdown(sb, row->release);
	string_builder_append(sb, " | ");
	string_builder_append_markdown(sb, row->arch);
	string_builder_appendf(sb, " | %s%s%s |", mark, row->result, mark);
	if (row->size_bytes)
		string_builder_appendf(sb, " %.1f MB",
				       (double)row->size_bytes / 1e6);
	string_builder_append(sb, " |");
	for (int i = 0; i <= (int)last; i++) {
		if (row->duration_ms && row->duration_ms[i])
			string_builder_appendf(sb, " %.1f s",
					       (double)row->duration_ms[i] / 1000);
		string_builder_append(sb, " |");
	}
	string_builder_append_char(sb, ' ');
	if (*row->reason) {
		markdown_append_code(sb, row->reason);
		string_builder_append_char(sb, ' ');
	}
	string_builder_append(sb, "|\n");
}
