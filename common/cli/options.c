// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"

static bool has_otherwise(const struct command_option *option)
{
	return option->type == OPTION_NUMBER ||
	       option->type == OPTION_OPTIONAL_NUMBER ||
	       option->type == OPTION_CHOICE || option->type == OPTION_SWITCH;
}

static bool has_negation(const struct command_option *option)
{
	return option->type == OPTION_FLAG || option->type == OPTION_SWITCH;
}

bool command_option_waits(const struct command_option *option)
{
	return !has_negation(option) && option->type != OPTION_OPTIONAL_NUMBER;
}

static bool is_list(const struct command_option *option)
{
	return option->type == OPTION_LIST || option->type == OPTION_ITEM;
}

void command_line_add(struct command_line *line,
		      const struct command_option *option, void *values)
{
	void *value = (char *)values + option->offset;

	if (has_otherwise(option))
		*(unsigned int *)value = option->otherwise;
	vector_add(&line->slots) =
		(struct command_slot){ .option = option, .value = value };
}

void command_line_add_table(struct command_line *line,
			    const struct command_option *table, void *values)
{
	for (const struct command_option *o = table; o->name; o++)
		command_line_add(line, o, values);
}

void command_line_deinit(struct command_line *line)
{
	for (size_t i = 0; i < line->slots.count; i++) {
		if (is_list(line->slots.items[i].option))
			string_list_deinit(line->slots.items[i].value);
	}
	string_list_deinit(&line->texts);
	free(line->arguments);
	free(line->slots.items);
}

struct command_slot *command_line_find(const struct command_line *line,
				       char letter, const char *name,
				       size_t length)
{
	for (size_t i = 0; i < line->slots.count; i++) {
		const struct command_option *option = line->slots.items[i].option;

		if (name ? strncmp(option->name, name, length) == 0 &&
				    !option->name[length]
			 : option->letter == letter)
			return &line->slots.items[i];
	}
	return NULL;
}

static struct error *set_number(const struct command_option *option,
				const char *value, unsigned int *ret)
{
	unsigned int max = option->max ? option->max : OPTION_NUMBER_MAX;
	char *end;

	errno = 0;
	unsigned long number = strtoul(value, &end, 10);
	if (errno || *end || !isdigit((unsigned char)*value) ||
	    number > OPTION_NUMBER_MAX)
		return error_create(ERROR_USAGE,
				    "--%s: '%s' is not a whole number",
				    option->name, value);
	if (number < option->min || number > max)
		return error_create(ERROR_USAGE, "--%s %lu: at %s %u",
				    option->name, number,
				    number > max ? "most" : "least",
				    number > max ? max : option->min);
	*ret = (unsigned int)number;
	return NULL;
}

static const struct unit *option_units(const struct command_option *option)
{
	static const struct unit ages[UNIT_COUNT] = { { 'h', 3600 },
						      { 'd', 86400 },
						      { 'w', 604800 } };

	return option->type == OPTION_SIZE  ? size_units
	       : option->type == OPTION_AGE ? ages
					    : NULL;
}

static struct error *set_amount(const struct command_option *option,
				const char *value, uint64_t *ret)
{
	const struct unit *units = option_units(option);
	uint64_t amount;

	if (amount_parse(value, units, option->unit, &amount) &&
	    amount >= option->min) {
		*ret = amount;
		return NULL;
	}
	return error_create(ERROR_USAGE,
			    "--%s %s: use a number with %c, %c or %c",
			    option->name, value, units[0].letter,
			    units[1].letter, units[2].letter);
}

void command_option_words(const struct command_option *option,
			  struct string_list *ret)
{
	const char *next = option->argument;

	while (*next) {
		size_t length = strcspn(next, "|");

		string_list_addf(ret, "%.*s", (int)length, next);
		next += length + (next[length] == '|');
	}
}

static struct error *set_choice(const struct command_option *option,
				const char *value, unsigned int *ret)
{
	_cleanup_string_list_ struct string_list words = { 0 };

	command_option_words(option, &words);
	for (unsigned int i = 0; i < words.count; i++) {
		if (strcmp(words.items[i], value) == 0) {
			*ret = i;
			return NULL;
		}
	}
	return error_create(ERROR_USAGE, "--%s %s: use %s", option->name, value,
			    option->argument);
}

static struct error *add_list(const struct command_option *option,
			      const char *value, struct string_list *list)
{
	// It may come from a variable that is not set, and does not mean all.
	if (!value[strspn(value, ",")])
		return error_create(ERROR_USAGE,
				    "--%s: '%s' names nothing; leave it out to mean all",
				    option->name, value);
	// A path may have commas of its own.
	if (*value == '/' || *value == '.')
		string_list_add(list, value);
	else
		string_list_add_split(list, value);
	return NULL;
}

/** @param[in] value NULL for a flag, and for one that is omitted. */
static struct error *set_option(const struct command_slot *slot, const char *value)
{
	const struct command_option *option = slot->option;

	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)slot->value = true;
		return NULL;
	case OPTION_STRING:
		*(const char **)slot->value = value;
		return NULL;
	case OPTION_OPTIONAL_NUMBER:
	case OPTION_NUMBER:
		if (value)
			return set_number(option, value, slot->value);
		*(unsigned int *)slot->value = OPTION_NUMBER_OMITTED;
		return NULL;
	case OPTION_LIST:
		return add_list(option, value, slot->value);
	case OPTION_ITEM:
		string_list_add(slot->value, value);
		return NULL;
	case OPTION_SWITCH:
		if (!value)
			*(unsigned int *)slot->value = 1;
		return value ? set_choice(option, value, slot->value) : NULL;
	case OPTION_CHOICE:
		return set_choice(option, value, slot->value);
	case OPTION_SIZE:
	case OPTION_AGE:
		return set_amount(option, value, slot->value);
	}
	return NULL;
}

/** What getopt_long() returns, besides letters. */
enum {
	PARSED_ARGUMENT = 1,
	PARSED_VERSION = 256,
	/** The first option; its negation is the next, then comes the second. */
	PARSED_OPTION,
};

static char *keep_text(struct command_line *line, const char *before,
		       const char *text)
{
	string_list_addf(&line->texts, "%s%s", before, text);
	return line->texts.items[line->texts.count - 1];
}

/**
 * A command's options as getopt_long() takes them.
 *
 * @param[out] letters_ret Has room for all that there can be.
 * @return free()
 */
static struct option *make_options(struct command_line *line, char *letters_ret)
{
	size_t count = line->slots.count;
	// Arguments are told in order; one that lacks its own gives a colon.
	char *letter = stpcpy(letters_ret, "-:h");
	struct option *options = memory_allocate(2 * count + 3, sizeof(*options));
	struct option *option = options;

	*option++ = (struct option){ "help", no_argument, NULL, 'h' };
	for (size_t i = 0; i < count; i++) {
		const struct command_option *o = line->slots.items[i].option;
		int has = o->type == OPTION_FLAG    ? no_argument
			  : command_option_waits(o) ? required_argument
						    : optional_argument;
		int parsed = PARSED_OPTION + 2 * (int)i;

		*option++ = (struct option){ o->name, has, NULL, parsed };
		if (o->letter) {
			*letter++ = o->letter;
			letter = stpcpy(letter, &"::"[2 - has]);
		}
		if (has_negation(o))
			*option++ =
				(struct option){ keep_text(line, "no-", o->name),
						 no_argument, NULL, parsed + 1 };
	}
	// A command's own comes first.
	*option = (struct option){ "version", no_argument, NULL, PARSED_VERSION };
	return options;
}

/** @param[in] c What getopt_long() says of the argument. */
static struct error *refuse(int c, const char *argument)
{
	const char letter[] = { '-', (char)optopt, '\0' };
	bool is_long = argument[1] == '-';
	const char *shown = is_long ? argument : letter;

	if (c == ':')
		return error_create(ERROR_USAGE,
				    "%s needs an argument; see --help", shown);
	if (is_long && optopt)
		return error_create(ERROR_USAGE, "%.*s takes no argument",
				    (int)strcspn(argument, "="), argument);
	return error_create(ERROR_USAGE, "unknown option '%s'; see --help",
			    shown);
}

/** Find the number that may follow, which getopt_long() takes for a word. */
static const char *optional_number(struct command_line *line, int c, int argc,
				   char **argv)
{
	const char *next = optind < argc ? argv[optind] : "";

	if (!optarg && *next && !next[strspn(next, "0123456789")]) {
		optind++;
		return next;
	}
	if (!optarg || c >= PARSED_OPTION || isdigit((unsigned char)*optarg))
		return optarg;
	// -jK is -j -K.
	argv[--optind] = keep_text(line, "-", optarg);
	return NULL;
}

static struct error *set_parsed(struct command_line *line, int c, int argc,
				char **argv)
{
	struct command_slot *slot =
		c < PARSED_OPTION ? command_line_find(line, (char)c, NULL, 0)
				  : &line->slots.items[(c - PARSED_OPTION) / 2];

	slot->given = true;
	if (slot->option->type == OPTION_OPTIONAL_NUMBER)
		return set_option(slot, optional_number(line, c, argc, argv));
	if (c < PARSED_OPTION || (c - PARSED_OPTION) % 2 == 0)
		return set_option(slot, optarg);
	if (slot->option->type == OPTION_FLAG)
		*(bool *)slot->value = false;
	else
		*(unsigned int *)slot->value = 0;
	return NULL;
}

struct error *command_line_parse(struct command_line *line, bool takes_program,
				 int argc, char **argv, enum command_request *ret)
{
	char letters[256];
	_cleanup_free_ struct option *options = make_options(line, letters);
	line->arguments =
		memory_allocate((size_t)argc + 1, sizeof(*line->arguments));
	*ret = REQUEST_RUN;
	// 0 makes it forget an earlier command line.
	optind = 0;
	opterr = 0;
	for (;;) {
		const char *argument = argv[optind ? optind : 1];
		int index = -1;
		int c = getopt_long(argc, argv, letters, options, &index);

		if (c < 0)
			break;
		if (c == PARSED_ARGUMENT) {
			line->arguments[line->argument_count++] = optarg;
			if (takes_program)
				break;
			continue;
		}
		// Abbreviations are refused: a new option could make one ambiguous.
		if (index >= 0 &&
		    strlen(options[index].name) != strcspn(argument + 2, "="))
			c = '?';
		if (c == '?' || c == ':')
			return refuse(c, argument);
		if (c == 'h' || c == PARSED_VERSION) {
			*ret = c == 'h' ? REQUEST_HELP : REQUEST_VERSION;
			return NULL;
		}
		struct error *err = set_parsed(line, c, argc, argv);
		if (err)
			return err;
	}
	line->before_count = line->argument_count;
	// A `--` that getopt_long() has taken.
	if (optind == 1 || strcmp(argv[optind - 1], "--") != 0)
		line->before_count += argc - optind;
	while (optind < argc)
		line->arguments[line->argument_count++] = argv[optind++];
	return NULL;
}

struct error *command_line_set_variables(const struct command_line *line)
{
	for (size_t i = 0; i < line->slots.count; i++) {
		struct command_slot *slot = &line->slots.items[i];
		const char *name = slot->option->variable;
		const char *value = name && !slot->given ? getenv(name) : NULL;

		if (!value || !*value)
			continue;
		slot->variable = name;
		struct error *err = set_option(slot, value);
		if (err)
			return error_wrap(err, "%s", name);
	}
	return NULL;
}

struct error *command_line_wrap(const struct command_line *line,
				const char *name, struct error *err)
{
	const struct command_slot *slot =
		command_line_find(line, 0, name, strlen(name));

	return slot && slot->variable ? error_wrap(err, "%s", slot->variable)
				      : err;
}

bool command_line_has(const struct command_line *line, const char *name)
{
	const struct command_slot *slot =
		command_line_find(line, 0, name, strlen(name));

	return slot && slot->given;
}

struct error *command_line_set_default(const struct command_line *line,
				       const char *name,
				       const struct string_list *values)
{
	struct command_slot *slot =
		command_line_find(line, 0, name, strlen(name));
	bool is_item = slot && slot->option->type == OPTION_ITEM;
	_cleanup_string_list_ struct string_list given = { 0 };

	if (!slot || (slot->given && !is_item))
		return NULL;
	slot->variable = NULL;
	if (!values->count)
		return set_option(slot, NULL);
	if (is_item)
		given = take(*(struct string_list *)slot->value);
	else if (is_list(slot->option))
		string_list_deinit(slot->value);
	for (size_t i = 0; i < values->count; i++) {
		struct error *err = set_option(slot, values->items[i]);

		if (err)
			return err;
	}
	string_list_add_all(slot->value, &given);
	return NULL;
}

static void format_number(const struct command_option *option,
			  unsigned int number, struct string_list *ret)
{
	_cleanup_string_list_ struct string_list words = { 0 };

	// A variable would take the place of what is left out.
	if (number == option->otherwise && !option->variable)
		return;
	if (option->type == OPTION_CHOICE || option->type == OPTION_SWITCH) {
		command_option_words(option, &words);
		string_list_addf(ret, "--%s=%s", option->name,
				 words.items[number]);
	} else if (number == OPTION_NUMBER_OMITTED) {
		string_list_addf(ret, "--%s", option->name);
	} else {
		string_list_addf(ret, "--%s=%u", option->name, number);
	}
}

/** In the largest unit that it is a multiple of. */
static void format_amount(const struct command_option *option, uint64_t value,
			  struct string_list *ret)
{
	const struct unit *units = option_units(option);
	const struct unit *unit = units + UNIT_COUNT - 1;

	while (unit > units && value % unit->value)
		unit--;
	string_list_addf(ret, "--%s=%" PRIu64 "%c", option->name,
			 value / unit->value, unit->letter);
}

void command_format_options(const struct command_option *table,
			    const void *options, struct string_list *ret)
{
	for (const struct command_option *o = table; o->name; o++) {
		const void *value = (const char *)options + o->offset;
		const struct string_list *list = value;
		const char *text = o->type == OPTION_STRING
					   ? *(const char *const *)value
					   : NULL;

		if (o->type == OPTION_FLAG && *(const bool *)value)
			string_list_addf(ret, "--%s", o->name);
		if (text)
			string_list_addf(ret, "--%s=%s", o->name, text);
		if (has_otherwise(o))
			format_number(o, *(const unsigned int *)value, ret);
		if (option_units(o) && *(const uint64_t *)value)
			format_amount(o, *(const uint64_t *)value, ret);
		for (size_t i = 0; is_list(o) && i < list->count; i++)
			string_list_addf(ret, "--%s=%s", o->name, list->items[i]);
	}
}
