// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_CLI_OPTIONS_H
#define COMMON_CLI_OPTIONS_H

/**
 * @file
 *
 * Command lines, as getopt_long(3) takes them: options are rows of tables,
 * whose values go into structs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

struct error;

enum command_option_type {
	/** bool; `--no-NAME` takes it back. */
	OPTION_FLAG,
	/** const char * */
	OPTION_STRING,
	/** unsigned int */
	OPTION_NUMBER,
	/**
	 * unsigned int; OPTION_NUMBER_OMITTED if it stands alone. As with
	 * make's -j, the next argument is its number only if it has digits
	 * only.
	 */
	OPTION_OPTIONAL_NUMBER,
	/**
	 * struct string_list; repeatable, each time a comma-separated list, or
	 * one path that begins with `/` or `.`.
	 */
	OPTION_LIST,
	/** struct string_list; repeatable, each time one item as it is. */
	OPTION_ITEM,
	/** unsigned int: which of the words that its argument names, from 0. */
	OPTION_CHOICE,
	/**
	 * unsigned int: a choice that may stand alone, for its second word;
	 * `--no-NAME` is the first. A value follows after `=` only.
	 */
	OPTION_SWITCH,
	/** uint64_t: bytes, a number with M, G or T; 0 if it is not given. */
	OPTION_SIZE,
	/** uint64_t: seconds, a number with h, d or w; 0 if it is not given. */
	OPTION_AGE,
};

enum {
	OPTION_NUMBER_MAX = 1000000000,
	OPTION_NUMBER_OMITTED,
};

/** One option; a row with a NULL name ends the table. */
struct command_option {
	/** 0 if it has none. */
	char letter;
	const char *name;
	/** Its argument in help; a choice's words: `a|b`. NULL for a flag. */
	const char *argument;
	const char *help;
	enum command_option_type type;
	/** Where the value goes in a struct of options: see OPTION_INTO(). */
	size_t offset;
	/**
	 * A number or an amount is at least @p min, a number at most @p max
	 * (0: no limit). Numbers and choices that are not given are
	 * @p otherwise.
	 */
	unsigned int min, max, otherwise;
	/** Letter of the unit of a size that says none; 0 if it must say one. */
	char unit;
	/** Environment variable that is its default; NULL for none. */
	const char *variable;
};

/** Whether a member of a struct can take the value of an option of a type. */
// clang-format off
#define OPTION_FITS(type, member)                                              \
	(_Generic((member),                                                    \
		  bool: 1 << OPTION_FLAG,                                      \
		  const char *: 1 << OPTION_STRING,                            \
		  unsigned int: 1 << OPTION_NUMBER |                           \
				1 << OPTION_OPTIONAL_NUMBER |                  \
				1 << OPTION_CHOICE | 1 << OPTION_SWITCH,       \
		  struct string_list: 1 << OPTION_LIST | 1 << OPTION_ITEM,     \
		  uint64_t: 1 << OPTION_SIZE | 1 << OPTION_AGE)                \
	 >> (type) & 1)

/** Of a row: its type, and the member for its value. Only one that fits compiles. */
#define OPTION_INTO(option_type, options, member)                              \
	.type = (option_type),                                                 \
	.offset = offsetof(options, member) +                                  \
		  0 * sizeof(char[OPTION_FITS(option_type,                     \
					      ((options *)NULL)->member)       \
					  ? 1 : -1])
// clang-format on

/** An option that a command line may have, and where its value goes. */
struct command_slot {
	const struct command_option *option;
	void *value;
	/** It is on the command line. */
	bool given;
	/** The environment variable that its value is from, or NULL. */
	const char *variable;
};

struct command_line {
	struct command_slots {
		struct command_slot *items;
		size_t count;
	} slots;
	/** What is not an option; ended by NULL. */
	char **arguments;
	int argument_count;
	/** How many of them come before a `--`. */
	int before_count;
	/** Strings that values borrow, besides those of the command line. */
	struct string_list texts;
};

/**
 * Add an option, and make its value, zeroed, that of an empty command line. Of
 * two options of one name, the first counts.
 */
void command_line_add(struct command_line *line,
		      const struct command_option *option, void *values);

/** The same for the options of a table. */
void command_line_add_table(struct command_line *line,
			    const struct command_option *table, void *values);

/** Free what belongs to it, and the values that are lists. */
void command_line_deinit(struct command_line *line);

/** By name, or, if that is NULL, by letter; NULL if there is none. */
struct command_slot *command_line_find(const struct command_line *line,
				       char letter, const char *name,
				       size_t length);

enum command_request {
	REQUEST_RUN,
	REQUEST_HELP,
	REQUEST_VERSION,
};

/**
 * Read a command line; once.
 *
 * @param[in] takes_program Options end at the first other argument.
 * @param[in] argv Begins with a name, which is not looked at.
 * @return ERROR_USAGE
 */
_must_check_ struct error *command_line_parse(struct command_line *line,
					      bool takes_program, int argc,
					      char **argv,
					      enum command_request *ret);

/** Whether an option is on the command line; @p name is the long one. */
bool command_line_has(const struct command_line *line, const char *name);

/**
 * Set an option from elsewhere than the command line, which wins: a value is
 * set only if none was given, and items come before those that were given. It
 * wins over a variable.
 *
 * @param[in] name Of an option; one that the command does not have is ignored.
 * @param[in] values One, or any number for a list; none for a flag.
 */
_must_check_ struct error *
command_line_set_default(const struct command_line *line, const char *name,
			 const struct string_list *values);

/**
 * Set options that are not on the command line to the values of their
 * environment variables, as far as these are neither unset nor empty.
 *
 * @return ERROR_USAGE, with the variable's name.
 */
_must_check_ struct error *
command_line_set_variables(const struct command_line *line);

/** Put what an option's value is from before an error about it: a variable. */
_must_check_ struct error *command_line_wrap(const struct command_line *line,
					     const char *name, struct error *err);

/** Append the arguments, `--NAME=VALUE`, that set options to these values. */
void command_format_options(const struct command_option *table,
			    const void *options, struct string_list *ret);

/** Whether the next argument is its value. */
bool command_option_waits(const struct command_option *option);

/** Add the words of a choice. */
void command_option_words(const struct command_option *option,
			  struct string_list *ret);

#endif /* COMMON_CLI_OPTIONS_H */
