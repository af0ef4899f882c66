// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/text.h"

#include <stdbool.h>
#include <string.h>

/** Append backquotes: more than the text has in a row. */
static void append_fence(struct string_builder *sb, const char *text,
			 size_t at_least)
{
	size_t longest = at_least - 1;

	for (const char *p = text; *p;) {
		size_t length = strspn(p, "`");

		if (length > longest)
			longest = length;
		p += length ? length : 1;
	}
	for (size_t i = 0; i <= longest; i++)
		string_builder_append_char(sb, '`');
}

void markdown_append_code(struct string_builder *sb, const char *text)
{
	if (!*text)
		return;
	append_fence(sb, text, 1);
	// A space on either side is not shown, and keeps backquotes apart.
	string_builder_append_char(sb, ' ');
	for (const char *p = text; *p; p++) {
		// In a table a bar ends the cell, even in code.
		if (*p == '|')
			string_builder_append_char(sb, '\\');
		string_builder_append_char(sb, strchr("\r\n\t", *p) ? ' ' : *p);
	}
	string_builder_append_char(sb, ' ');
	append_fence(sb, text, 1);
}

/** In HTML no Markdown is read. */
static void append_html(struct string_builder *sb, const char *text)
{
	for (; *text; text++) {
		if (strchr("&<>", *text))
			string_builder_appendf(sb, "&#%d;", *text);
		else
			string_builder_append_char(sb,
						   *text == '\n' ? ' ' : *text);
	}
}

void markdown_append_details(struct string_builder *sb, const char *title,
			     const char *text)
{
	size_t length = strlen(text);
	bool ends_line = length && text[length - 1] == '\n';

	string_builder_append(sb, "\n<details><summary>");
	append_html(sb, title);
	string_builder_append(sb, "</summary>\n\n");
	append_fence(sb, text, 3);
	string_builder_appendf(sb, "\n%s%s", text, ends_line ? "" : "\n");
	append_fence(sb, text, 3);
	string_builder_append(sb, "\n\n</details>\n");
}
