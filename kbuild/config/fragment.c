// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/fragment.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "kbuild/config/bounds.h"

static const char prefix[] = "CONFIG_";
static const char essential[] = "essential";

/** A piece of a text, not NUL-terminated. */
struct span {
	const char *start;
	size_t length;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_name(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

static void span_skip_blanks(struct span *span)
{
	while (span->length && is_blank(*span->start)) {
		span->start++;
		span->length--;
	}
}

/** Take the first @p length characters off. */
static struct span span_take(struct span *span, size_t length)
{
	struct span taken = { span->start, length };

	span->start += length;
	span->length -= length;
	return taken;
}

static struct span span_take_line(struct span *span)
{
	const char *newline = memchr(span->start, '\n', span->length);
	struct span line =
		span_take(span, newline ? (size_t)(newline - span->start)
					: span->length);

	if (newline)
		span_take(span, 1);
	return line;
}

static bool span_equals(struct span span, const char *text)
{
	return span.length == strlen(text) &&
	       memcmp(span.start, text, span.length) == 0;
}

/** Take a word off, if the text begins with it and a blank or nothing follows. */
static bool span_take_word(struct span *span, const char *word)
{
	size_t length = strlen(word);

	if (span->length < length || memcmp(span->start, word, length) != 0 ||
	    (span->length > length && !is_blank(span->start[length])))
		return false;
	span_take(span, length);
	return true;
}

static void span_copy(struct span span, char **ret)
{
	char *copy = string_copy_n(span.start, span.length);
	*ret = copy;
}

static bool starts_with_prefix(struct span span)
{
	size_t length = sizeof(prefix) - 1;

	return span.length > length && memcmp(span.start, prefix, length) == 0 &&
	       is_name(span.start[length]);
}

static size_t name_length(struct span span)
{
	size_t length = 0;

	while (length < span.length && is_name(span.start[length]))
		length++;
	return length;
}

/** Length of the value at the start of the text; 0 if it is malformed. */
static size_t value_length(struct span span)
{
	if (!span.length)
		return 0;
	if (span.start[0] != '"') {
		size_t length = 0;

		while (length < span.length && !is_blank(span.start[length]) &&
		       span.start[length] != '"')
			length++;
		return length;
	}
	for (size_t i = 1; i < span.length; i++) {
		if (span.start[i] == '\\')
			i++;
		else if (span.start[i] == '"')
			return i + 1;
	}
	return 0;
}

static void config_option_deinit(struct config_option *option)
{
	free(option->name);
	free(option->value);
	free(option->reason);
	free(option->origin);
}

#define _cleanup_config_option_ _cleanup_(config_option_deinit)

void option_set_deinit(struct option_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		config_option_deinit(&set->options[i]);
	free(set->options);
	*set = (struct option_set)OPTION_SET_INIT;
}

static struct config_option *option_set_find(const struct option_set *set,
					     struct span name)
{
	for (size_t i = 0; i < set->count; i++) {
		if (span_equals(name, set->options[i].name))
			return &set->options[i];
	}
	return NULL;
}

/** Add an option or replace the one of its name. Consumes it on success. */
static void option_set_add(struct option_set *set, struct config_option *option)
{
	struct span name = { option->name, strlen(option->name) };
	struct config_option *slot = option_set_find(set, name);

	if (slot) {
		config_option_deinit(slot);
	} else {
		if (set->count == set->capacity) {
			size_t capacity = set->capacity ? 2 * set->capacity : 64;
			void *options = memory_resize(set->options, capacity,
						      sizeof(*set->options));
			set->options = options;
			set->capacity = capacity;
		}
		slot = &set->options[set->count++];
	}
	*slot = *option;
	*option = (struct config_option){ 0 };
}

/**
 * Parse what stands in brackets after a value, if anything does.
 *
 * @param[out] holds_ret Whether its bounds hold.
 */
static struct error *parse_brackets(struct span *line,
				    const struct bounds_target *target,
				    struct config_option *option, bool *holds_ret)
{
	*holds_ret = true;
	if (!line->length || line->start[0] != '[')
		return NULL;
	const char *end = memchr(line->start, ']', line->length);
	if (!end)
		return error_create(ERROR_USAGE, "%s: '[' without ']'",
				    option->name);
	span_take(line, 1);
	struct span inner = span_take(line, (size_t)(end - line->start));
	span_take(line, 1);
	span_skip_blanks(&inner);
	option->is_essential = span_take_word(&inner, essential);
	_cleanup_free_ char *bounds = NULL;
	span_copy(inner, &bounds);
	return error_wrap(bounds_hold(bounds, target, holds_ret), "%s",
			  option->name);
}

/**
 * Parse a line that is neither empty nor a comment.
 *
 * @param[out] ret Without an origin.
 * @param[out] holds_ret Whether its bounds hold.
 */
static struct error *parse_line(struct span line,
				const struct bounds_target *target,
				struct config_option *ret, bool *holds_ret)
{
	struct error *err;

	if (!starts_with_prefix(line))
		return error_create(
			ERROR_USAGE,
			"a line is CONFIG_NAME=value [essential bounds] # reason");
	_cleanup_config_option_ struct config_option option = { 0 };
	span_copy(span_take(&line, name_length(line)), &option.name);
	if (!line.length || line.start[0] != '=')
		return error_create(ERROR_USAGE, "%s has no '='", option.name);
	span_take(&line, 1);
	size_t length = value_length(line);
	if (!length)
		return error_create(ERROR_USAGE, "%s has no value", option.name);
	span_copy(span_take(&line, length), &option.value);

	bool holds;
	span_skip_blanks(&line);
	err = parse_brackets(&line, target, &option, &holds);
	if (err)
		return err;
	span_skip_blanks(&line);
	if (line.length && line.start[0] != '#')
		return error_create(ERROR_USAGE,
				    "%s: neither bounds nor a reason after the value",
				    option.name);
	if (line.length)
		span_take(&line, 1);
	span_skip_blanks(&line);
	while (line.length && is_blank(line.start[line.length - 1]))
		line.length--;
	span_copy(line, &option.reason);

	*ret = option;
	option = (struct config_option){ 0 };
	*holds_ret = holds;
	return NULL;
}

static void format_origin(const char *name, unsigned int number, char **ret)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	string_builder_appendf(&sb, "%s:%u", name, number);
	*ret = string_builder_take(&sb);
}

struct error *option_set_apply(struct option_set *set, const char *name,
			       const char *text, size_t size,
			       const struct bounds_target *target)
{
	struct error *err;

	// The options of this fragment alone, to find those it names twice.
	_cleanup_option_set_ struct option_set own = OPTION_SET_INIT;
	struct span rest = { text, size };
	for (unsigned int number = 1; rest.length; number++) {
		struct span line = span_take_line(&rest);
		span_skip_blanks(&line);
		if (!line.length || line.start[0] == '#')
			continue;
		_cleanup_config_option_ struct config_option option = { 0 };
		bool holds = false;
		err = parse_line(line, target, &option, &holds);
		if (err)
			return error_wrap(err, "%s:%u", name, number);
		if (!holds)
			continue;
		struct span option_name = { option.name, strlen(option.name) };
		const struct config_option *twin =
			option_set_find(&own, option_name);
		if (twin)
			return error_create(ERROR_USAGE,
					    "%s:%u: %s is asked for at %s already",
					    name, number, option.name,
					    twin->origin);
		format_origin(name, number, &option.origin);
		option_set_add(&own, &option);
	}
	for (size_t i = 0; i < own.count; i++) {
		option_set_add(set, &own.options[i]);
	}
	return NULL;
}

void option_set_put(struct option_set *set, const char *name, const char *value,
		    const char *origin)
{
	_cleanup_config_option_ struct config_option option = {
		.name = strdup(name),
		.value = strdup(value),
		.reason = strdup(""),
		.origin = strdup(origin),
	};

	if (!option.name || !option.value || !option.reason || !option.origin)
		memory_exhausted();
	option_set_add(set, &option);
}

char *option_set_format(const struct option_set *set)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	for (size_t i = 0; i < set->count; i++) {
		const struct config_option *option = &set->options[i];

		if (strcmp(option->value, "n") == 0)
			string_builder_appendf(&sb, "# %s is not set\n",
					       option->name);
		else
			string_builder_appendf(&sb, "%s=%s\n", option->name,
					       option->value);
	}
	return string_builder_take(&sb);
}

/** The values that a .config gives to the options of a set, `n` for none. */
static void find_values(const struct option_set *set, const char *text,
			size_t size, struct span **ret)
{
	static const struct span off = { "n", 1 };
	// One more, since calloc() of nothing may be NULL.
	_cleanup_free_ struct span *values =
		memory_allocate(set->count + 1, sizeof(*values));
	for (size_t i = 0; i < set->count; i++)
		values[i] = off;

	struct span rest = { text, size };
	while (rest.length) {
		struct span line = span_take_line(&rest);
		if (!starts_with_prefix(line))
			continue;
		struct span name = span_take(&line, name_length(line));
		if (!line.length || line.start[0] != '=')
			continue;
		span_take(&line, 1);
		const struct config_option *option = option_set_find(set, name);
		if (option)
			values[option - set->options] = line;
	}
	*ret = take_ptr(values);
}

static void append_lost(struct string_builder *sb,
			const struct config_option *option, struct span value)
{
	string_builder_appendf(sb, "%s%s=%s became %.*s (%s",
			       sb->length ? ", " : "", option->name,
			       option->value, (int)value.length, value.start,
			       option->origin);
	if (option->reason[0])
		string_builder_appendf(sb, ": %s", option->reason);
	string_builder_append(sb, ")");
}

struct error *option_set_check(const struct option_set *set, const char *text,
			       size_t size, struct string_list *lost_ret)
{
	_cleanup_free_ struct span *values = NULL;
	find_values(set, text, size, &values);
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	size_t lost = 0;
	for (size_t i = 0; i < set->count; i++) {
		const struct config_option *option = &set->options[i];

		if (span_equals(values[i], option->value))
			continue;
		if (lost_ret && !option->is_essential) {
			string_list_addf(lost_ret, "%s=%s", option->name,
					 option->value);
			continue;
		}
		append_lost(&sb, option, values[i]);
		lost++;
	}
	if (!lost)
		return NULL;
	_cleanup_free_ char *list = string_builder_take(&sb);
	return error_create(ERROR_OTHER,
			    "kconfig did not keep %zu option%s: %s; name what they depend on, or bound them",
			    lost, lost == 1 ? "" : "s", list);
}
