// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_CLI_COMMAND_H
#define COMMON_CLI_COMMAND_H

/**
 * @file
 *
 * Programs made of commands: a table of commands, tables of options, and one
 * main() that parses, prints help, and turns an error into a line and an exit
 * status (0 done, 1 failed, 2 wrong usage).
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/string_list.h"

struct catalog;
struct error;
struct http;
struct release_selection;
struct store;

enum command_option_type {
	/** bool */
	OPTION_FLAG,
	/** const char * */
	OPTION_STRING,
	/** unsigned int */
	OPTION_NUMBER,
	/**
	 * unsigned int; OPTION_NUMBER_OMITTED if it stands alone. As with
	 * make's -j, the next argument is its number only if it has digits only.
	 */
	OPTION_OPTIONAL_NUMBER,
	/**
	 * struct string_list; repeatable, each time a comma-separated list, or
	 * one path that begins with `/` or `.`.
	 */
	OPTION_LIST,
	/** struct string_list; repeatable, each time one item as it is. */
	OPTION_ITEM,
};

enum {
	OPTION_NUMBER_OMITTED = 1000000001
};

/** One option; a row with a NULL name ends the table. */
struct command_option {
	/** 0 if it has none. */
	char letter;
	const char *name;
	/** Name of its argument in help; NULL for a flag. */
	const char *argument;
	const char *help;
	enum command_option_type type;
	/** Where the value goes in the command's options. */
	size_t offset;
};

/** Options that mean the same everywhere. */
struct common_options {
	struct string_list kernels;
	struct string_list archs;
	struct string_list flavors;
	const char *store;
	const char *catalog;
	const char *directory;
	bool verbose;
	bool quiet;
	bool json;
};

/** What a command is called with. */
struct command_context {
	const struct command *command;
	struct common_options *common;
	/** The command's own options: a zeroed struct of options_size, filled. */
	void *options;
	/** What is left of the command line; ended by NULL. */
	char **arguments;
	int argument_count;
	/** Long names of the options on the command line. */
	struct string_list given;
};

/** One command; a row with a NULL name ends the table. */
struct command {
	const char *name;
	/** Its own arguments in usage: `[--] [COMMAND ARG...]`. */
	const char *arguments;
	const char *summary;
	/** What help says below the usage; may be NULL. */
	const char *details;
	const struct command_option *options;
	/**
	 * Rows that commands share; may be NULL. Their values go into the same
	 * struct, which begins with the one that they were written for.
	 */
	const struct command_option *shared_options;
	size_t options_size;
	/** Options end at the first other argument, which is a program to run. */
	bool takes_program;
	/** Exit status of an error that is not of usage; 0 for 1. */
	int failure_status;
	/**
	 * @param[out] status_ret Exit status of a success; 0 if not touched.
	 */
	struct error *(*run)(const struct command_context *context,
			     int *status_ret);
};

struct program {
	const char *name;
	const char *summary;
	const struct command *commands;
	/** In a workflow, a command's error stands above the run's logs, too. */
	bool annotates_errors;
};

/** Everything that main() does. @return The exit status. */
int command_main(const struct program *program, int argc, char **argv);

/** Whether an option is on the command line; @p name is the long one. */
bool command_was_given(const struct command_context *context, const char *name);

/**
 * Set an option from elsewhere than the command line, which wins: a value is
 * set only if none was given, and items come before those that were given.
 *
 * @param[in] name Of an option; one that the command does not have is ignored.
 * @param[in] values One, or any number for a list; none for a flag.
 */
_must_check_ struct error *
command_set_default(const struct command_context *context, const char *name,
		    const struct string_list *values);

/** Append the arguments, `--NAME=VALUE`, that set options to these values. */
void command_format_options(const struct command_option *table,
			    const void *options, struct string_list *ret);

/**
 * The catalog of --catalog, or the installed one. What --arch and --flavor name
 * is checked by it: afterwards, --arch holds no words (catalog_resolve_names()).
 */
_must_check_ struct error *
command_load_catalog(const struct command_context *context, struct catalog **ret);

/** What --kernel, --arch and --flavor ask for; borrowed from the context. */
void command_selection(const struct command_context *context,
		       struct release_selection *ret);

/** The folder of --directory, or `$XDG_CACHE_HOME/vmtest`; free(). */
_must_check_ struct error *
command_directory(const struct command_context *context, char **ret);

/** An HTTP client, whose patience is that of limits.h. */
_must_check_ struct error *command_http(struct http **ret);

/**
 * The store of --store or `$VMTEST_STORE`.
 *
 * @param[in] repository Where the GitHub release of the catalog's tag is the
 * store if none is named: the catalog's, but for a program that keeps its own.
 */
_must_check_ struct error *command_store(const struct command_context *context,
					 const struct catalog *catalog,
					 const char *repository,
					 struct http *http, struct store **ret);

#endif /* COMMON_CLI_COMMAND_H */
