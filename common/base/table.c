// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/table.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "common/base/memory.h"

struct table_column {
	/** Borrowed. */
	const char *title;
	enum table_kind kind;
};

struct table_cell {
	char *text;
	bool is_strong;
};

void table_deinit(struct table *table)
{
	for (size_t i = 0; i < table->cells.count; i++)
		free(table->cells.items[i].text);
	free(table->columns.items);
	free(table->cells.items);
	string_list_deinit(&table->folds);
	*table = (struct table){ 0 };
}

void table_add_column(struct table *table, const char *title, enum table_kind kind)
{
	vector_add(&table->columns) = (struct table_column){ title, kind };
}

void table_add_status(struct table *table, const char *text, bool is_strong)
{
	// A row is a line.
	vector_add(&table->cells) = (struct table_cell){
		text_make_line(string_copy(text ? text : ""), ' '), is_strong
	};
}

void table_add(struct table *table, const char *text)
{
	table_add_status(table, text, false);
}

void table_addf(struct table *table, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	_cleanup_free_ char *text = string_vformat(format, ap);
	va_end(ap);
	table_add(table, text);
}

static void add_amount(struct table *table, double amount, const char *unit)
{
	if (amount > 0)
		table_addf(table, "%.1f %s", amount, unit);
	else
		table_add(table, NULL);
}

void table_add_seconds(struct table *table, uint64_t ms)
{
	add_amount(table, (double)ms / 1000, "s");
}

void table_add_megabytes(struct table *table, uint64_t bytes)
{
	add_amount(table, (double)bytes / 1e6, "MB");
}

void table_add_fold(struct table *table, const char *title, const char *text)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	markdown_append_details(&sb, title, text);
	string_list_add(&table->folds, sb.text);
}

static bool is_number(const struct table *table, size_t column)
{
	return table->columns.items[column].kind == TABLE_NUMBER;
}

static bool is_shown(const struct table *table, size_t column)
{
	size_t i = column;

	if (!is_number(table, column))
		return true;
	while (i < table->cells.count && !*table->cells.items[i].text)
		i += table->columns.count;
	return i < table->cells.count;
}

/** @param[in] first Index of the row's first cell; SIZE_MAX for the titles. */
static const char *cell_text(const struct table *table, size_t first,
			     size_t column)
{
	if (first == SIZE_MAX)
		return table->columns.items[column].title;

	const char *text = table->cells.items[first + column].text;

	return !*text && is_number(table, column) ? "-" : text;
}

/**
 * How many bytes of a text a terminal shows in so many columns; in the locale
 * that table_append_text() has set.
 *
 * @param[out] width_ret The columns that these take.
 */
static size_t measure(const char *text, size_t width_max, size_t *width_ret)
{
	size_t size = strlen(text), offset = 0, width = 0;

	while (offset < size) {
		mbstate_t state = { 0 };
		wchar_t c;
		size_t length = mbrtowc(&c, text + offset, size - offset, &state);
		bool is_character = length <= size - offset;
		int columns = is_character ? wcwidth(c) : 1;

		if (columns > 0 && width + (size_t)columns > width_max)
			break;
		width += columns > 0 ? (size_t)columns : 0;
		offset += is_character ? length : 1;
	}
	*width_ret = width;
	return offset;
}

/** @param[in] first As cell_text(). */
static void append_line(struct string_builder *sb, const struct table *table,
			const size_t *widths, size_t first, size_t width_max)
{
	_cleanup_string_builder_ struct string_builder line = { 0 };
	size_t width, count = table->columns.count;

	for (size_t j = 0; j < 2 * count; j++) {
		size_t i = j % count;
		const char *text = cell_text(table, first, i);
		bool is_last = table->columns.items[i].kind == TABLE_CODE;

		if (!is_shown(table, i) || is_last != (j >= count))
			continue;
		measure(text, SIZE_MAX, &width);
		int spaces = (int)(widths[i] - width);
		string_builder_appendf(&line, "%s%*s%s%*s",
				       line.length ? "  " : "",
				       is_number(table, i) ? spaces : 0, "", text,
				       is_number(table, i) ? 0 : spaces, "");
	}
	size_t length =
		measure(line.text, width_max ? width_max : SIZE_MAX, &width);
	while (length && line.text[length - 1] == ' ')
		length--;
	string_builder_append_n(sb, line.text, length);
	string_builder_append_char(sb, '\n');
}

void table_append_text(struct string_builder *sb, const struct table *table,
		       size_t width_max)
{
	_cleanup_free_ size_t *widths =
		memory_allocate(table->columns.count, sizeof(*widths));
	bool has_titles = false;
	// Where it is missing, bytes are counted.
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = uselocale(utf8);

	for (size_t i = 0; i < table->columns.count; i++) {
		const char *title = table->columns.items[i].title;
		size_t width;

		has_titles |= *title;
		measure(title, SIZE_MAX, &widths[i]);
		for (size_t j = 0; j < table->cells.count;
		     j += table->columns.count) {
			measure(cell_text(table, j, i), SIZE_MAX, &width);
			if (width > widths[i])
				widths[i] = width;
		}
	}
	if (has_titles && table->cells.count)
		append_line(sb, table, widths, SIZE_MAX, width_max);
	for (size_t i = 0; i < table->cells.count; i += table->columns.count)
		append_line(sb, table, widths, i, width_max);
	uselocale(before);
	if (utf8)
		freelocale(utf8);
}

void table_print(const struct table *table)
{
	struct string_builder sb = { 0 };

	table_append_text(&sb, table, 0);
	_cleanup_free_ char *text = string_builder_take(&sb);
	fputs(text, stdout);
}

static void append_titles(struct string_builder *sb, const struct table *table)
{
	_cleanup_string_builder_ struct string_builder rule = { 0 };

	string_builder_append_char(sb, '|');
	for (size_t i = 0; i < table->columns.count; i++) {
		const char *title = table->columns.items[i].title;

		if (!is_shown(table, i))
			continue;
		string_builder_append(sb, *title ? " " : "");
		string_builder_append_markdown(sb, title);
		string_builder_append(sb, " |");
		string_builder_append(&rule, is_number(table, i) ? " ---: |"
								 : " --- |");
	}
	string_builder_appendf(sb, "\n|%s\n", rule.text);
}

static void append_row(struct string_builder *sb, const struct table *table,
		       size_t first)
{
	string_builder_append_char(sb, '|');
	for (size_t i = 0; i < table->columns.count; i++) {
		const struct table_cell *cell = &table->cells.items[first + i];
		enum table_kind kind = table->columns.items[i].kind;

		if (!is_shown(table, i))
			continue;
		string_builder_append(sb, *cell->text ? " " : "");
		string_builder_append(sb, cell->is_strong ? "**" : "");
		if (kind == TABLE_CODE)
			markdown_append_code(sb, cell->text);
		else if (kind == TABLE_MARKDOWN)
			string_builder_append(sb, cell->text);
		else
			string_builder_append_markdown(sb, cell->text);
		string_builder_append(sb, cell->is_strong ? "** |" : " |");
	}
	string_builder_append_char(sb, '\n');
}

void table_append_markdown(struct string_builder *sb, const struct table *table,
			   size_t limit_bytes)
{
	const char *left_out = table->left_out ? table->left_out
					       : "There is no room for more.";
	size_t end_bytes = strlen("\n") + strlen(left_out) + strlen("\n");
	size_t row_count = table->cells.count / table->columns.count;
	_cleanup_string_builder_ struct string_builder part = { 0 };

	if (sb->length + end_bytes > limit_bytes)
		return;
	for (size_t i = 0; i <= row_count + table->folds.count; i++) {
		part.length = 0;
		if (i == 0)
			append_titles(&part, table);
		else if (i <= row_count)
			append_row(&part, table, (i - 1) * table->columns.count);
		else
			string_builder_append(&part,
					      table->folds.items[i - 1 - row_count]);
		if (part.length > limit_bytes - end_bytes - sb->length) {
			string_builder_appendf(sb, "\n%s\n", left_out);
			return;
		}
		string_builder_append_n(sb, part.text, part.length);
	}
}
