// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/table.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "common/base/memory.h"
#include "common/base/text.h"

struct table_cell {
	char *text;
	bool is_strong;
};

struct table_fold {
	char *title;
	char *text;
};

void table_deinit(struct table *table)
{
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i].text);
	for (size_t i = 0; i < table->fold_count; i++) {
		free(table->folds[i].title);
		free(table->folds[i].text);
	}
	free(table->columns);
	free(table->cells);
	free(table->folds);
	*table = (struct table){ 0 };
}

void table_add_column(struct table *table, const char *title, enum table_kind kind)
{
	table->columns = vector_grow(table->columns, table->column_count,
				     sizeof(*table->columns));
	table->columns[table->column_count++] =
		(struct table_column){ title, kind };
}

void table_add_status(struct table *table, const char *text, bool is_strong)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	size_t size = text ? strlen(text) : 0;

	// A row is a line.
	for (size_t i = 0; i < size;) {
		size_t length = utf8_length(text + i, size - i);

		length += !length;
		if (utf8_is_control(text + i))
			string_builder_append_char(&sb, ' ');
		else
			string_builder_append_n(&sb, text + i, length);
		i += length;
	}
	table->cells = vector_grow(table->cells, table->cell_count,
				   sizeof(*table->cells));
	table->cells[table->cell_count++] =
		(struct table_cell){ string_builder_take(&sb), is_strong };
}

void table_add(struct table *table, const char *text)
{
	table_add_status(table, text, false);
}

void table_addf(struct table *table, const char *format, ...)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	va_list ap;

	va_start(ap, format);
	string_builder_vappendf(&sb, format, ap);
	va_end(ap);
	table_add(table, sb.text);
}

void table_add_seconds(struct table *table, uint64_t ms)
{
	if (ms)
		table_addf(table, "%.1f s", (double)ms / 1000);
	else
		table_add(table, "");
}

void table_add_megabytes(struct table *table, uint64_t bytes)
{
	if (bytes)
		table_addf(table, "%.1f MB", (double)bytes / 1e6);
	else
		table_add(table, "");
}

void table_add_fold(struct table *table, const char *title, const char *text)
{
	table->folds = vector_grow(table->folds, table->fold_count,
				   sizeof(*table->folds));
	table->folds[table->fold_count++] =
		(struct table_fold){ string_copy(title), string_copy(text) };
}

static bool is_shown(const struct table *table, size_t column)
{
	if (table->columns[column].kind != TABLE_NUMBER)
		return true;
	for (size_t i = column; i < table->cell_count; i += table->column_count) {
		if (*table->cells[i].text)
			return true;
	}
	return false;
}

static const char *cell_text(const struct table *table, size_t index)
{
	const char *text = table->cells[index].text;
	bool is_number = table->columns[index % table->column_count].kind ==
			 TABLE_NUMBER;

	return !*text && is_number ? "-" : text;
}

/**
 * How many bytes of a text a terminal shows in so many columns; in the locale
 * that enter_utf8() has set.
 *
 * @param[out] width_ret The columns that these take.
 */
static size_t measure(const char *text, size_t width_max, size_t *width_ret)
{
	size_t size = strlen(text), offset = 0, width = 0;
	mbstate_t state = { 0 };

	while (offset < size) {
		wchar_t c;
		size_t length = mbrtowc(&c, text + offset, size - offset, &state);
		int columns = length <= size - offset ? wcwidth(c) : 1;

		if (length > size - offset) {
			length = 1;
			state = (mbstate_t){ 0 };
		}
		if (columns > 0 && width + (size_t)columns > width_max)
			break;
		width += columns > 0 ? (size_t)columns : 0;
		offset += length;
	}
	*width_ret = width;
	return offset;
}

static size_t text_width(const char *text)
{
	size_t width;

	measure(text, SIZE_MAX, &width);
	return width;
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = text_width(table->columns[column].title);

	for (size_t i = column; i < table->cell_count; i += table->column_count) {
		size_t cell = text_width(cell_text(table, i));

		if (cell > width)
			width = cell;
	}
	return width;
}

static void append_cell(struct string_builder *sb, const char *text,
			size_t width, bool is_right)
{
	int spaces = (int)(width - text_width(text));

	string_builder_appendf(sb, "%*s%s%*s", is_right ? spaces : 0, "", text,
			       is_right ? 0 : spaces, "");
}

/** @param[in] first Index of the row's first cell; SIZE_MAX for the titles. */
static void append_line(struct string_builder *sb, const struct table *table,
			const size_t *widths, size_t first, size_t width)
{
	_cleanup_string_builder_ struct string_builder line = { 0 };
	size_t length;

	for (size_t i = 0; i < table->column_count; i++) {
		if (!is_shown(table, i))
			continue;
		string_builder_append(&line, line.length ? "  " : "");
		append_cell(&line,
			    first == SIZE_MAX ? table->columns[i].title
					      : cell_text(table, first + i),
			    widths[i], table->columns[i].kind == TABLE_NUMBER);
	}
	length = measure(line.text, width ? width : SIZE_MAX, &width);
	while (length && line.text[length - 1] == ' ')
		length--;
	string_builder_append_n(sb, line.text, length);
	string_builder_append_char(sb, '\n');
}

static bool has_titles(const struct table *table)
{
	if (!table->cell_count)
		return false;
	for (size_t i = 0; i < table->column_count; i++) {
		if (*table->columns[i].title)
			return true;
	}
	return false;
}

void table_append_text(struct string_builder *sb, const struct table *table,
		       size_t width)
{
	_cleanup_free_ size_t *widths =
		memory_allocate(table->column_count, sizeof(*widths));
	// Where it is missing, bytes are counted.
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = uselocale(utf8);

	for (size_t i = 0; i < table->column_count; i++)
		widths[i] = column_width(table, i);
	if (has_titles(table))
		append_line(sb, table, widths, SIZE_MAX, width);
	for (size_t i = 0; i < table->cell_count; i += table->column_count)
		append_line(sb, table, widths, i, width);
	uselocale(before);
	if (utf8)
		freelocale(utf8);
}

void table_print(const struct table *table)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	string_builder_append(&sb, "");
	table_append_text(&sb, table, 0);
	fputs(sb.text, stdout);
}

static void append_titles(struct string_builder *sb, const struct table *table)
{
	string_builder_append_char(sb, '|');
	for (size_t i = 0; i < table->column_count; i++) {
		const char *title = table->columns[i].title;

		if (!is_shown(table, i))
			continue;
		string_builder_append(sb, *title ? " " : "");
		string_builder_append_markdown(sb, title);
		string_builder_append(sb, " |");
	}
	string_builder_append(sb, "\n|");
	for (size_t i = 0; i < table->column_count; i++) {
		if (is_shown(table, i))
			string_builder_append(sb, table->columns[i].kind ==
								  TABLE_NUMBER
							  ? " ---: |"
							  : " --- |");
	}
	string_builder_append_char(sb, '\n');
}

static void append_row(struct string_builder *sb, const struct table *table,
		       size_t first)
{
	string_builder_append_char(sb, '|');
	for (size_t i = 0; i < table->column_count; i++) {
		const struct table_cell *cell = &table->cells[first + i];
		enum table_kind kind = table->columns[i].kind;

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

/** Append the titles, then each row, then each fold. */
static void append_part(struct string_builder *sb, const struct table *table,
			size_t index, size_t row_count)
{
	if (index == 0) {
		append_titles(sb, table);
	} else if (index <= row_count) {
		append_row(sb, table, (index - 1) * table->column_count);
	} else {
		const struct table_fold *fold =
			&table->folds[index - 1 - row_count];

		markdown_append_details(sb, fold->title, fold->text);
	}
}

void table_append_markdown(struct string_builder *sb, const struct table *table,
			   size_t limit_bytes)
{
	const char *left_out = table->left_out ? table->left_out
					       : "There is no room for more.";
	size_t end_bytes = strlen("\n") + strlen(left_out) + strlen("\n");
	size_t row_count = table->cell_count / table->column_count;
	_cleanup_string_builder_ struct string_builder part = { 0 };

	if (sb->length + end_bytes > limit_bytes)
		return;
	for (size_t i = 0; i <= row_count + table->fold_count; i++) {
		part.length = 0;
		append_part(&part, table, i, row_count);
		if (part.length > limit_bytes - end_bytes - sb->length) {
			string_builder_appendf(sb, "\n%s\n", left_out);
			return;
		}
		string_builder_append_n(sb, part.text, part.length);
	}
}
