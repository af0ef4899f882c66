// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_STRING_BUILDER_H
#define COMMON_BASE_STRING_BUILDER_H

/**
 * @file
 *
 * A string that grows. Text that is pasted into another language goes through
 * the append that escapes for it.
 */

#include <stdarg.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct string_builder {
	char *text;
	size_t length;
	size_t capacity;
};

#define STRING_BUILDER_INIT                                                    \
	{                                                                      \
		0                                                              \
	}

void string_builder_append(struct string_builder *sb, const char *text);
void string_builder_append_n(struct string_builder *sb, const char *data,
			     size_t length);
void string_builder_append_char(struct string_builder *sb, char c);
_printf_(2, 3) void string_builder_appendf(struct string_builder *sb,
					   const char *format, ...);
_printf_(2, 0) void string_builder_vappendf(struct string_builder *sb,
					    const char *format, va_list ap);

/**
 * Append one word for a POSIX shell, quoted so that the shell sees exactly
 * @p text: the one way in which a command line is ever quoted.
 */
void string_builder_append_shell(struct string_builder *sb, const char *text);

/** Append the value of a URL's query, percent-encoded (RFC 3986). */
void string_builder_append_url(struct string_builder *sb, const char *text);

/** Append text for a cell of a Markdown table or a paragraph. */
void string_builder_append_markdown(struct string_builder *sb, const char *text);

/** Take the string, never NULL; free(). The builder is empty afterwards. */
char *string_builder_take(struct string_builder *sb);

void string_builder_deinit(struct string_builder *sb);

#define _cleanup_string_builder_ _cleanup_(string_builder_deinit)

#endif /* COMMON_BASE_STRING_BUILDER_H */
