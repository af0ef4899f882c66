// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"

static const char prefix[] = "CONFIG_";
static const char essential[] = "essential";
static const char blanks[] = " \t\r";

static struct error *comparison_holds(const char *term,
				      const struct kernel_version *version,
				      bool *ret)
{
	bool is_min = term[0] == '>';
	struct kernel_version bound;

	if (!kernel_version_parse(term + (is_min ? 2 : 1), &bound))
		return error_create(ERROR_USAGE, "bound '%s' has no version",
				    term);
	*ret = true;
	if (!version)
		return NULL;
	struct kernel_version final = *version;
	final.rc = 0;
	*ret = (kernel_version_compare(&final, &bound) >= 0) == is_min;
	return NULL;
}

struct error *bounds_hold(const char *bounds,
			  const struct bounds_target *target, bool *ret)
{
	struct error *err;

	bool holds = true, names_arch = false, is_named = false;
	_cleanup_free_ char *copy = string_copy(bounds);
	char *rest = copy, *term;
	while ((term = strsep(&rest, " \t"))) {
		if (!*term)
			continue;
		if (strncmp(term, ">=", 2) == 0 || term[0] == '<') {
			bool in_range;

			err = comparison_holds(term, target->version, &in_range);
			if (err)
				return err;
			holds &= in_range;
			continue;
		}
		bool is_excluded = term[0] == '!';
		const struct catalog_arch *arch;
		_cleanup_error_ struct error *unknown =
			catalog_find_arch(target->catalog, term + is_excluded,
					  &arch);
		if (unknown)
			return error_create(ERROR_USAGE,
					    "bound '%s' is neither a comparison with a version nor an architecture",
					    term);
		if (is_excluded) {
			holds &= arch != target->arch;
		} else {
			names_arch = true;
			is_named |= arch == target->arch;
		}
	}
	*ret = holds && (!names_arch || is_named);
	return NULL;
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
		config_option_deinit(&set->items[i]);
	free(set->items);
	*set = (struct option_set){ 0 };
}

static struct config_option *option_set_find(const struct option_set *set,
					     const char *name)
{
	for (size_t i = 0; i < set->count; i++) {
		if (strcmp(set->items[i].name, name) == 0)
			return &set->items[i];
	}
	return NULL;
}

/** Length of `CONFIG_NAME` at the start of a line; 0 if it is none. */
static size_t name_length(const char *line)
{
	size_t start = sizeof(prefix) - 1, length = start;

	if (strncmp(line, prefix, start) != 0)
		return 0;
	while (isalnum((unsigned char)line[length]) || line[length] == '_')
		length++;
	return length > start ? length : 0;
}

/** Length of the value at the start of a text; 0 if it is malformed. */
static size_t value_length(const char *text)
{
	if (*text != '"')
		return strcspn(text, " \t\r\"");
	const char *end = text + 1;
	while (*end && *end != '"')
		end += *end == '\\' && end[1] ? 2 : 1;
	return *end ? (size_t)(end + 1 - text) : 0;
}

/** Read what stands in brackets, and whether its bounds hold. */
static struct error *parse_brackets(const char *text,
				    const struct bounds_target *target,
				    struct config_option *option, bool *holds_ret)
{
	size_t length = sizeof(essential) - 1;

	text += strspn(text, blanks);
	if (strncmp(text, essential, length) == 0 &&
	    (!text[length] || strchr(blanks, text[length]))) {
		option->is_essential = true;
		text += length;
	}
	return error_wrap(bounds_hold(text, target, holds_ret), "%s",
			  option->name);
}

/**
 * Read a line that is neither empty nor a comment, nor ends in blanks.
 *
 * @param[out] option Without an origin.
 * @param[out] holds_ret Whether its bounds hold.
 */
static struct error *parse_line(const char *line,
				const struct bounds_target *target,
				struct config_option *option, bool *holds_ret)
{
	struct error *err;

	size_t length = name_length(line);
	if (!length)
		return error_create(ERROR_USAGE,
				    "'%s' sets no option; a line is CONFIG_NAME=value [essential bounds] # reason",
				    line);
	option->name = string_copy_n(line, length);
	line += length;
	if (*line++ != '=')
		return error_create(ERROR_USAGE, "%s has no '='", option->name);
	length = value_length(line);
	if (!length)
		return error_create(ERROR_USAGE, "%s has no value", option->name);
	option->value = string_copy_n(line, length);
	line += length + strspn(line + length, blanks);

	*holds_ret = true;
	if (*line == '[') {
		length = strcspn(line, "]");
		if (!line[length])
			return error_create(ERROR_USAGE, "%s: '[' without ']'",
					    option->name);
		_cleanup_free_ char *inner = string_copy_n(line + 1, length - 1);
		err = parse_brackets(inner, target, option, holds_ret);
		if (err)
			return err;
		line += length + 1;
		line += strspn(line, blanks);
	}
	if (*line && *line != '#')
		return error_create(ERROR_USAGE,
				    "%s: neither bounds nor a reason after the value",
				    option->name);
	line += *line == '#';
	option->reason = string_copy(line + strspn(line, blanks));
	return NULL;
}

/** @return Where the text begins that is left without blanks around it. */
static char *trim(char *line)
{
	size_t length = strlen(line);

	while (length && strchr(blanks, line[length - 1]))
		line[--length] = '\0';
	return line + strspn(line, blanks);
}

/** Whether an option is from a line of the fragment. */
static bool is_of_fragment(const struct config_option *option, const char *name)
{
	size_t length = strlen(name);

	return strncmp(option->origin, name, length) == 0 &&
	       option->origin[length] == ':';
}

/** @return `CONFIG_NAME=n` for a line by which .config says so, else NULL; free(). */
static char *parse_unset(const char *line)
{
	if (strncmp(line, "# ", 2) != 0)
		return NULL;
	line += 2;
	size_t length = name_length(line);
	if (!length || strcmp(line + length, " is not set") != 0)
		return NULL;
	return string_format("%.*s=n", (int)length, line);
}

struct error *option_set_apply(struct option_set *set, const char *name,
			       const char *text,
			       const struct bounds_target *target)
{
	struct error *err;

	_cleanup_free_ char *copy = string_copy(text);
	char *rest = copy, *line;
	for (unsigned int number = 1; (line = strsep(&rest, "\n")); number++) {
		line = trim(line);
		_cleanup_free_ char *unset = parse_unset(line);
		if (unset)
			line = unset;
		if (!*line || *line == '#')
			continue;
		_cleanup_config_option_ struct config_option option = { 0 };
		bool holds = false;
		err = parse_line(line, target, &option, &holds);
		if (err)
			return error_wrap(err, "%s:%u", name, number);
		if (!holds)
			continue;
		struct config_option *slot = option_set_find(set, option.name);
		if (slot && is_of_fragment(slot, name))
			return error_create(ERROR_USAGE,
					    "%s:%u: %s is asked for at %s already",
					    name, number, option.name,
					    slot->origin);
		option.origin = string_format("%s:%u", name, number);
		if (slot)
			config_option_deinit(slot);
		else
			slot = &vector_add(set);
		*slot = take(option);
	}
	return NULL;
}

char *option_set_format(const struct option_set *set)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	for (size_t i = 0; i < set->count; i++) {
		const struct config_option *option = &set->items[i];

		if (strcmp(option->value, "n") == 0)
			string_builder_appendf(&sb, "# %s is not set\n",
					       option->name);
		else
			string_builder_appendf(&sb, "%s=%s\n", option->name,
					       option->value);
	}
	return string_builder_take(&sb);
}
