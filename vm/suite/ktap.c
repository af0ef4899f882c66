// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/ktap.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/memory.h"
#include "common/base/text.h"

void ktap_deinit(struct ktap *ktap)
{
	for (size_t i = 0; i < ktap->count; i++) {
		free(ktap->items[i].name);
		free(ktap->items[i].reason);
	}
	free(ktap->items);
	*ktap = (struct ktap){ 0 };
}

void ktap_destroy(struct ktap *ktap)
{
	if (ktap)
		ktap_deinit(ktap);
	free(ktap);
}

/** Text of a guest's as it can be shown. */
static char *plain(const char *text, size_t size)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	text_append_plain(&sb, text, size);
	return string_builder_take(&sb);
}

static void add_test(struct ktap *ktap, const char *name, size_t name_length,
		     enum ktap_result result, const char *reason)
{
	if (ktap->count == KTAP_TESTS_MAX) {
		ktap->is_cut = true;
		return;
	}
	if (name_length > KTAP_NAME_MAX)
		name_length = KTAP_NAME_MAX;
	_cleanup_free_ char *shown = plain(name, name_length);
	vector_add(ktap) = (struct ktap_test){
		.name = string_copy(*shown ? shown : "?"),
		.result = result,
		.reason = plain(reason, strlen(reason)),
	};
}

/** At the end of the innermost level, what it lacks has failed. */
static void end_level(struct ktap *ktap)
{
	const struct ktap_level *level = &ktap->levels[ktap->depth];
	_cleanup_free_ char *reason =
		string_format("%zu were planned, and %zu have a result",
			      level->planned, level->seen);

	if (level->seen < level->planned)
		add_test(ktap, "missing tests", strlen("missing tests"),
			 KTAP_FAILED, reason);
}

static void end_all_levels(struct ktap *ktap)
{
	end_level(ktap);
	while (ktap->depth) {
		ktap->depth--;
		end_level(ktap);
	}
}

/** Come to the level of a line. */
static struct ktap_level *enter_level(struct ktap *ktap, size_t indentation)
{
	while (ktap->depth &&
	       indentation < ktap->levels[ktap->depth].indentation) {
		end_level(ktap);
		ktap->depth--;
	}
	if (indentation > ktap->levels[ktap->depth].indentation &&
	    ktap->depth + 1 < KTAP_DEPTH_MAX)
		ktap->levels[++ktap->depth] = (struct ktap_level){
			.indentation = indentation,
			.inner = ktap->count,
		};
	return &ktap->levels[ktap->depth];
}

/** The results of tests within one come before its own, which has its name. */
static bool name_inner(struct ktap *ktap, size_t from, const char *name,
		       size_t name_length)
{
	bool any_failed = false;

	for (size_t i = from; i < ktap->count; i++) {
		struct ktap_test *test = &ktap->items[i];
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		any_failed |= test->result == KTAP_FAILED;
		text_append_plain(&sb, name, name_length);
		string_builder_appendf(&sb, ": %s", test->name);
		free(test->name);
		test->name = plain(sb.text, sb.length < KTAP_NAME_MAX
						    ? sb.length
						    : KTAP_NAME_MAX);
	}
	return any_failed;
}

/** What stands behind a name: `# SKIP why`. @return The end of the name. */
static size_t read_directive(const char *text, enum ktap_result *result,
			     const char **reason)
{
	// clang-format off
	static const struct {
		const char *word;
		enum ktap_result result;
	} directives[] = {
		{ "SKIP", KTAP_SKIPPED }, { "TODO", KTAP_TODO }, { "XFAIL", KTAP_TODO },
		{ "TIMEOUT", KTAP_FAILED }, { "ERROR", KTAP_FAILED },
	};
	// clang-format on
	size_t end = strlen(text);

	*reason = "";
	for (const char *mark = text; *mark; mark++) {
		if (*mark != '#' || (mark > text && mark[-1] != ' '))
			continue;
		const char *words = mark + 1 + strspn(mark + 1, " ");

		for (size_t i = 0; i < array_size(directives); i++) {
			size_t length = strlen(directives[i].word);

			if (strncasecmp(words, directives[i].word, length) != 0)
				continue;
			*result = directives[i].result;
			*reason = words;
			if (*result == KTAP_FAILED)
				return (size_t)(mark - text);
			words += strcspn(words, " ");
			*reason = words + strspn(words, " ");
			return (size_t)(mark - text);
		}
		// `#12` is part of a name.
		if (mark[1] == ' ' && end > (size_t)(mark - text))
			end = (size_t)(mark - text);
	}
	return end;
}

static void read_result(struct ktap *ktap, size_t indentation, bool passed,
			const char *text)
{
	struct ktap_level *level = enter_level(ktap, indentation);
	enum ktap_result result = passed ? KTAP_PASSED : KTAP_FAILED;
	const char *name = text + strspn(text, " ");
	const char *reason;

	name += strspn(name, "0123456789");
	name += strspn(name, " ");
	if (strncmp(name, "- ", 2) == 0)
		name += 2;
	size_t length = read_directive(name, &result, &reason);
	while (length && name[length - 1] == ' ')
		length--;
	_cleanup_free_ char *place = string_format("%zu", level->seen + 1);
	if (!length) {
		name = place;
		length = strlen(place);
	}
	size_t inner = level->inner;
	bool has_inner = inner < ktap->count;
	bool explained = has_inner && name_inner(ktap, inner, name, length);

	if (!has_inner || (result == KTAP_FAILED && !explained))
		add_test(ktap, name, length, result, reason);
	level->seen++;
	level->inner = ktap->count;
}

static void read_plan(struct ktap *ktap, size_t indentation, const char *text)
{
	struct ktap_level *level = enter_level(ktap, indentation);
	unsigned long planned = strtoul(text, NULL, 10);

	level->planned = planned < INT_MAX ? planned : INT_MAX;
}

static bool is_version(const char *text)
{
	return strncmp(text, "TAP version ", 12) == 0 ||
	       strncmp(text, "KTAP version ", 13) == 0;
}

/** @return What follows on `ok` or `not ok`; NULL if it is none. */
static const char *result_end(const char *text)
{
	const char *end = text + (strncmp(text, "not ", 4) == 0 ? 4 : 0);

	if (strncmp(end, "ok", 2) != 0 || (end[2] && end[2] != ' '))
		return NULL;
	return end + 2;
}

/** Skip what stands before a line of a test's test. @return How many columns. */
static size_t skip_indentation(struct ktap *ktap, const char **text)
{
	const char *line = *text;
	size_t marks = 0;

	while (strncmp(line + 2 * marks, "# ", 2) == 0)
		marks++;
	line += 2 * marks;
	// Behind more of them are messages.
	if (is_version(line) || (marks < ktap->marks && result_end(line)))
		ktap->marks = marks;
	if (marks > ktap->marks)
		return 0;
	size_t spaces = strspn(line, " ");

	*text = line + spaces;
	return 2 * marks + spaces;
}

static void read_line(struct ktap *ktap, const char *text)
{
	if (!ktap->has_begun && !is_version(text))
		return;
	size_t indentation = skip_indentation(ktap, &text);

	if (is_version(text)) {
		// One program after another.
		if (!indentation) {
			if (ktap->has_begun)
				end_all_levels(ktap);
			ktap->levels[0] =
				(struct ktap_level){ .inner = ktap->count };
		} else {
			enter_level(ktap, indentation);
		}
		ktap->has_begun = true;
	} else if (strncmp(text, "Bail out!", 9) == 0) {
		text += 9;
		add_test(ktap, "Bail out!", 9, KTAP_FAILED,
			 text + strspn(text, " "));
		ktap->has_bailed_out = true;
	} else if (strncmp(text, "1..", 3) == 0 &&
		   isdigit((unsigned char)text[3])) {
		read_plan(ktap, indentation, text + 3);
	} else if (result_end(text)) {
		read_result(ktap, indentation, *text == 'o', result_end(text));
	}
}

void ktap_feed(struct ktap *ktap, const char *data, size_t size)
{
	for (size_t i = 0; i < size && !ktap->has_bailed_out; i++) {
		if (data[i] != '\n') {
			if (ktap->line_length < KTAP_LINE_MAX)
				ktap->line[ktap->line_length++] = data[i];
			continue;
		}
		if (ktap->line_length && ktap->line[ktap->line_length - 1] == '\r')
			ktap->line_length--;
		ktap->line[ktap->line_length] = '\0';
		ktap->line_length = 0;
		read_line(ktap, ktap->line);
	}
}

void ktap_end(struct ktap *ktap)
{
	if (ktap->line_length)
		ktap_feed(ktap, "\n", 1);
	if (ktap->has_begun && !ktap->has_bailed_out)
		end_all_levels(ktap);
}
