// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/crash/trace.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/text.h"

enum {
	/** Which are the arguments of one program. */
	FRAME_LIMIT = 1000,
};

struct symbol {
	const char *name;
	size_t length;
	uint64_t address, size_bytes;
	/** How far it is to the next, which is what the kernel takes for its size. */
	uint64_t span;
};

struct symbols {
	struct symbol *items;
	size_t count;
};

void trace_frames_deinit(struct trace_frames *frames)
{
	for (size_t i = 0; i < frames->count; i++) {
		free(frames->items[i].symbol);
		free(frames->items[i].module);
		free(frames->items[i].query);
		free(frames->items[i].place);
	}
	free(frames->items);
}

static bool is_symbol(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

/** Read `0x1f`. @return Whether there is one. */
static bool read_hex(const char **text, uint64_t *ret)
{
	char *end;

	if (strncmp(*text, "0x", 2) != 0 || !isxdigit((unsigned char)(*text)[2]))
		return false;
	*ret = strtoull(*text, &end, 16);
	*text = end;
	return true;
}

/** The name in ` [MODULE]`, which a build ID may follow. */
static char *read_module(const char **text)
{
	const char *name = *text + 2;
	size_t length = 0;

	if (strncmp(*text, " [", 2) != 0)
		return NULL;
	while (is_symbol(name[length]) || name[length] == '-')
		length++;

	size_t end = length;

	if (name[end] == ' ')
		end += 1 + strspn(name + end + 1, "0123456789abcdef");
	if (!length || name[end] != ']')
		return NULL;
	*text = name + end + 1;
	return string_copy_n(name, length);
}

/**
 * Whether a line is about the instruction itself. Others name the one to which
 * a call returns, which may be another line's.
 */
static bool is_exact(const char *line, const char *symbol)
{
	static const char *const words[] = { "RIP: ", "pc : ", "PC is at ",
					     "NIP [" };
	_cleanup_free_ char *before =
		string_copy_n(line, (size_t)(symbol - line));

	for (size_t i = 0; i < array_size(words); i++) {
		if (strstr(before, words[i]))
			return true;
	}
	return false;
}

void trace_frames_add(struct trace_frames *frames, const char *text, size_t number)
{
	for (const char *p = text;
	     frames->count < FRAME_LIMIT && (p = strstr(p, "+0x"));) {
		const char *symbol = p, *line, *end = ++p;
		struct trace_frame frame = { .text = number };

		while (symbol > text && is_symbol(symbol[-1]))
			symbol--;
		if (end - symbol < 2 || isdigit((unsigned char)*symbol) ||
		    !read_hex(&end, &frame.offset) || *end++ != '/' ||
		    !read_hex(&end, &frame.size_bytes))
			continue;
		frame.symbol = string_copy_n(symbol, (size_t)(p - symbol) - 1);
		frame.module = read_module(&end);
		// Not before: of what is none, a line may have any number.
		line = symbol;
		while (line > text && line[-1] != '\n')
			line--;
		if (frame.offset && !is_exact(line, symbol))
			frame.offset--;
		frame.end = (size_t)(end - text);
		vector_add(frames) = frame;
		p = end;
	}
}

bool trace_frame_is_of(const struct trace_frame *frame, const char *module)
{
	return module ? frame->module && strcmp(frame->module, module) == 0
		      : !frame->module;
}

/** Lines are `NAME TYPE ADDRESS SIZE`. */
static void read_symbols(const char *text, struct symbols *ret)
{
	for (const char *line = text; *line;) {
		const char *end = line + strcspn(line, "\n");
		const char *name_end = line + strcspn(line, " \n");
		char *p;

		if (name_end + 3 < end) {
			uint64_t address = strtoull(name_end + 3, &p, 16);

			vector_add(ret) = (struct symbol){
				.name = line,
				.length = (size_t)(name_end - line),
				.address = address,
				.size_bytes = strtoull(p, NULL, 16),
			};
		}
		line = end + (*end == '\n');
	}
}

/** Once for all: a file may have millions at one address. */
static void measure(struct symbols *symbols)
{
	for (size_t i = symbols->count; i-- > 1;) {
		const struct symbol *next = &symbols->items[i];
		struct symbol *symbol = &symbols->items[i - 1];

		symbol->span = next->address > symbol->address
				       ? next->address - symbol->address
				       : next->span;
	}
}

static const struct symbol *find_symbol(const struct symbols *symbols,
					const struct trace_frame *frame)
{
	const size_t length = strlen(frame->symbol);
	const struct symbol *any = NULL, *fits = NULL;
	size_t count = 0, fit_count = 0;

	for (size_t i = 0; i < symbols->count; i++) {
		const struct symbol *symbol = &symbols->items[i];

		if (symbol->length != length ||
		    memcmp(symbol->name, frame->symbol, length) != 0)
			continue;
		any = symbol;
		count++;
		if (symbol->span != frame->size_bytes)
			continue;
		fits = symbol;
		fit_count++;
	}
	// Addresses in a module are those of its sections: they do not tell.
	if (count == 1)
		return any;
	return fit_count == 1 && !frame->module ? fits : NULL;
}

void trace_frames_resolve(struct trace_frames *frames, const char *module,
			  const char *symbols)
{
	struct symbols list = { 0 };

	read_symbols(symbols, &list);
	measure(&list);
	for (size_t i = 0; i < frames->count; i++) {
		struct trace_frame *frame = &frames->items[i];
		const struct symbol *symbol = trace_frame_is_of(frame, module)
						      ? find_symbol(&list, frame)
						      : NULL;

		// eu-addr2line says nothing of what is behind a symbol.
		if (!symbol || (module && frame->offset >= symbol->size_bytes))
			continue;
		frame->query =
			module ? string_format("%s+0x%" PRIx64, frame->symbol,
					       frame->offset)
			       : string_format("0x%" PRIx64,
					       symbol->address + frame->offset);
	}
	free(list.items);
}

/** `./fs/read_write.c:569:9` without the column; NULL if it is not known. */
static char *read_place(const char *line, size_t length)
{
	_cleanup_free_ char *copy = string_copy_n(line, length);
	char *colon = strrchr(copy, ':');

	if (!colon || strncmp(copy, "??", 2) == 0)
		return NULL;
	*colon = '\0';

	char *other = strrchr(copy, ':');

	if (!other || !other[1] || other[1 + strspn(other + 1, "0123456789")])
		*colon = ':';
	colon = strrchr(copy, ':');
	if (strcmp(colon, ":0") == 0)
		return NULL;
	return string_copy(copy + (strncmp(copy, "./", 2) == 0 ? 2 : 0));
}

void trace_frames_locate(struct trace_frames *frames, const char *module,
			 const char *output)
{
	const char *line = output;

	for (size_t i = 0; i < frames->count; i++) {
		struct trace_frame *frame = &frames->items[i];
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		if (!frame->query || !trace_frame_is_of(frame, module))
			continue;
		if (strncmp(line, "0x", 2) != 0)
			return;
		for (;;) {
			line += strcspn(line, "\n");
			line += *line == '\n';
			if (!*line || strncmp(line, "0x", 2) == 0)
				break;

			_cleanup_free_ char *place =
				read_place(line, strcspn(line, "\n"));

			if (place)
				string_builder_appendf(&sb, "%s%s",
						       sb.length ? ", inlined at "
								 : "",
						       place);
		}
		// Names come from who has built the module.
		if (sb.length)
			frame->place =
				text_make_line(string_builder_take(&sb), '?');
	}
}

char *trace_frames_format(const struct trace_frames *frames, const char *text,
			  size_t number)
{
	struct string_builder sb = { 0 };
	size_t done = 0;

	for (size_t i = 0; i < frames->count; i++) {
		const struct trace_frame *frame = &frames->items[i];

		if (frame->text != number || !frame->place)
			continue;
		string_builder_append_n(&sb, text + done, frame->end - done);
		string_builder_appendf(&sb, " (%s)", frame->place);
		done = frame->end;
	}
	string_builder_append(&sb, text + done);
	return string_builder_take(&sb);
}

/** Of where a frame is, the source of the module itself; free(). */
static char *choose_place(const char *places)
{
	static const char separator[] = ", inlined at ";
	_cleanup_free_ char *copy = string_copy_n(places, strcspn(places, ")\n"));
	char *place = copy;

	// The kernel's headers have no absolute paths.
	for (char *next; *place != '/' && (next = strstr(place, separator));)
		place = next + strlen(separator);
	place[strcspn(place, ",")] = '\0';
	return string_copy(place);
}

/** Whether the line of a frame is `? f+0x1/0x2`, as of what was on the stack. */
static bool is_unsure(const char *text, const char *frame)
{
	while (frame > text && frame[-1] != '\n')
		frame--;
	return strncmp(frame + strspn(frame, " "), "? ", 2) == 0;
}

char *trace_find_place(const char *text, unsigned int *line_ret)
{
	for (const char *p = text; (p = strstr(p, "] ("));) {
		_cleanup_free_ char *place = choose_place(p + strlen("] ("));
		char *colon = strrchr(place, ':');
		const char *name = p++;

		while (name > text && *name != '[' && *name != '\n')
			name--;
		// `f+0x1/0x2 [MODULE] (FILE:LINE)`
		if (!colon || name < text + 2 || *name != '[' ||
		    !isxdigit((unsigned char)name[-2]) || is_unsure(text, name))
			continue;
		*line_ret = (unsigned int)strtoul(colon + 1, NULL, 10);
		*colon = '\0';
		if (*line_ret)
			return take_ptr(place);
	}
	return NULL;
}
