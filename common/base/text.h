// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_TEXT_H
#define COMMON_BASE_TEXT_H

/** @file Strings: that grow, in lists, and from elsewhere. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct json_t;

/*
 * A string that grows. Text that is pasted into another language goes through
 * the append that escapes for it.
 */

struct string_builder {
	char *text;
	size_t length;
	size_t capacity;
};

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

/*
 * A list of strings that it owns, ended by a NULL as argv is, so that a child's
 * arguments can be collected in one.
 */

struct string_list {
	/** NULL while empty, else ended by a NULL. */
	char **items;
	size_t count;
};

void string_list_add(struct string_list *list, const char *text);
_printf_(2, 3) void string_list_addf(struct string_list *list,
				     const char *format, ...);

/** Add the non-empty parts of a comma-separated list. */
void string_list_add_split(struct string_list *list, const char *text);

/**
 * The words of a command as one would type them for a shell; free().
 *
 * @param[in] before_option What parts a word that begins with `-` from the one
 * before it; others are parted by a space.
 */
char *string_list_quote(const struct string_list *list,
			const char *before_option);

/** Add all of another. */
void string_list_add_all(struct string_list *list,
			 const struct string_list *more);

bool string_list_contains(const struct string_list *list, const char *text);

void string_list_deinit(struct string_list *list);

#define _cleanup_string_list_ _cleanup_(string_list_deinit)

/* Amounts: a whole number and its unit. */

/** The larger ones are multiples of the smallest, which is the first. */
struct unit {
	char letter;
	uint64_t value;
};

enum {
	UNIT_COUNT = 3,
};

/** M, G and T: 2^20, 2^30 and 2^40 bytes. */
extern const struct unit size_units[UNIT_COUNT];

/**
 * Parse an amount: `64M`, `1T`.
 *
 * @param[in] implied The unit of a number alone; 0 if there must be one.
 * @return False if it is none, or of more than 2^60.
 */
bool amount_parse(const char *text, const struct unit *units, char implied,
		  uint64_t *ret);

/*
 * Text from elsewhere: paths, output of programs, and messages that quote them.
 * It need not be UTF-8.
 */

/** What stands for a byte that is no part of a character: U+FFFD. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/** The bytes of the UTF-8 character that text begins with; 0 if it is none. */
size_t utf8_length(const char *text, size_t size);

/** How many bytes of UTF-8, at most so many, end between two characters. */
size_t utf8_cut(const char *text, size_t size_bytes, size_t limit_bytes);

/**
 * Whether it is a control character: newlines and tabs included, and those that
 * change the order in which text is shown.
 */
bool utf8_is_control(const char *character);

/**
 * Make text one line, in place, that can be shown on a terminal and in a log of
 * GitHub Actions: each control character becomes @p instead, and so does a byte
 * that is one outside of UTF-8. `::` in front of a word at its begin becomes
 * `?:`, and `##[` becomes `##?`, so that they are no workflow commands.
 *
 * @return The text.
 */
char *text_make_line(char *text, char instead);

/**
 * The same for lines: newlines and tabs stay, and others become `?`. The log
 * does so itself.
 *
 * @return The text.
 */
char *text_make_safe(char *text);

/**
 * Take user and password out of each URL, in place: `ssh://me:secret@host/x`
 * becomes `ssh://host/x`. Messages, the log and progress do so themselves.
 *
 * @return The text.
 */
char *text_hide_credentials(char *text);

/**
 * Append what a program has printed, made fit to be shown anywhere: valid
 * UTF-8, no control characters but newlines and tabs, no escape sequences of
 * terminals, no workflow commands (as text_make_line()). Of a line that was
 * rewritten with carriage returns, the last text is kept.
 */
void text_append_plain(struct string_builder *sb, const char *text, size_t size);

/**
 * A string of JSON, with U+FFFD for each byte that is no part of a character:
 * jansson's json_string() makes nothing of what is not UTF-8.
 *
 * @param[in] text NULL for null.
 * @return A reference that the caller owns.
 */
struct json_t *text_json(const char *text);

/*
 * Markdown as GitHub shows it, around text from elsewhere, which cannot leave
 * its place. Text of a cell or paragraph: string_builder_append_markdown().
 */

/**
 * Append text as inline code on one line, fit for a cell of a table. Nothing in
 * it is markup, such as a mention of a user.
 */
void markdown_append_code(struct string_builder *sb, const char *text);

/** Append lines of text as a block of code that folds under a title. */
void markdown_append_details(struct string_builder *sb, const char *title,
			     const char *text);

#endif /* COMMON_BASE_TEXT_H */
