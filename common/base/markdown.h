// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_MARKDOWN_H
#define COMMON_BASE_MARKDOWN_H

/**
 * @file
 *
 * Markdown as GitHub shows it, around text from elsewhere, which cannot leave
 * its place. Text of a cell or paragraph: string_builder_append_markdown().
 */

struct string_builder;

/**
 * Append text as code in a line, fit for a cell of a table: on one line, and
 * with nothing in it that means anything, such as the name of a user.
 */
void markdown_append_code(struct string_builder *sb, const char *text);

/** Append lines of text as a block of code that folds under a title. */
void markdown_append_details(struct string_builder *sb, const char *title,
			     const char *text);

#endif /* COMMON_BASE_MARKDOWN_H */
