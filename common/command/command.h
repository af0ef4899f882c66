// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_COMMAND_COMMAND_H
#define COMMON_COMMAND_COMMAND_H

/**
 * @file
 *
 * What the programs have in common. They are made of commands; a command is a
 * row: its name, its help, its options, themselves rows, and its function. One
 * main() parses, opens what the common options name, prints help, answers
 * completion, and turns an error into a line and an exit status (0 done, 1
 * failed, 2 wrong usage).
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/cli/options.h"

struct catalog;
struct catalog_arch;
struct error;
struct json_t;
struct release_selection;

/** Options that mean the same everywhere: a bit for each, in their order. */
enum common_option {
	COMMON_KERNEL = 1 << 0,
	COMMON_ARCH = 1 << 1,
	COMMON_FLAVOR = 1 << 2,
	COMMON_STORE = 1 << 3,
	COMMON_CATALOG = 1 << 4,
	COMMON_DIRECTORY = 1 << 5,
	COMMON_VERBOSE = 1 << 6,
	COMMON_QUIET = 1 << 7,
	COMMON_JSON = 1 << 8,
	COMMON_VERIFY = 1 << 9,
	COMMON_ALLOW_UNVERIFIED = 1 << 10,
	/** What every command has. */
	COMMON_ALWAYS = COMMON_CATALOG | COMMON_VERBOSE | COMMON_QUIET,
	COMMON_SELECTION = COMMON_KERNEL | COMMON_ARCH | COMMON_FLAVOR,
	/** Of those that download packages. */
	COMMON_DOWNLOAD = COMMON_STORE | COMMON_DIRECTORY | COMMON_VERIFY |
			  COMMON_ALLOW_UNVERIFIED,
};

/** Their values; those that a command does not have are zeroed. */
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
	bool verify;
	bool allow_unverified;
};

extern const struct command_option common_option_table[];

struct program;

/** What a command is called with. */
struct command_context {
	const struct program *program;
	const struct command *command;
	struct common_options *common;
	/** The command's own options, a struct of options_size bytes. */
	void *options;
	/** The exit status of a success. */
	int status;
	struct command_line line;
	/** While the command runs. */
	struct http *http;
	/** Of command_open(); NULL before. */
	struct catalog *catalog;
	struct store *store;
	char *directory;
	/** Of command_row(). */
	struct json_t *rows;
};

/** One command. */
struct command {
	const char *name;
	/** Its arguments in usage: `[--] [COMMAND ARG...]`; NULL for none. */
	const char *arguments;
	const char *summary;
	/** What help says below the usage; may be NULL. */
	const char *details;
	/**
	 * Tables of its own options and of those that it shares with other
	 * commands; the rest is NULL. Their values go into one struct, which
	 * begins with the one that the shared rows were written for.
	 */
	const struct command_option *options[4];
	size_t options_size;
	/** Of enum common_option: those that it has besides COMMON_ALWAYS. */
	unsigned int common;
	/** Options end at the first other argument: a program to run. */
	bool takes_program;
	/** Add what completion offers as its first argument; may be NULL. */
	void (*complete)(struct string_list *ret);
	/** Of enum command_part: what is opened before it runs. */
	unsigned int needs;
	/** Exit status of an error that is not of usage; 0 for 1. */
	int failure_status;
	_must_check_ struct error *(*run)(struct command_context *context);
};

struct program {
	const char *name;
	const char *summary;
	/** Ended by NULL. */
	const struct command *const *commands;
	/** Called with the error that ends a command, once logged; or NULL. */
	void (*tell)(const char *message);
	/**
	 * `OWNER/REPO` whose GitHub release is the default store. If this is
	 * NULL or returns NULL, the catalog's repository is used.
	 */
	const char *(*repository)(void);
	/** Add the KERNELs that completion offers; may be NULL. */
	void (*complete_kernel)(const struct command_context *context,
				struct string_list *ret);
};

/** Everything that main() does. @return The exit status. */
int command_main(const struct program *program, int argc, char **argv);

enum command_part {
	/**
	 * That of --catalog, or the installed one. What --arch and --flavor
	 * name is checked by it: afterwards, --arch holds no words
	 * (catalog_resolve_names()).
	 */
	COMMAND_CATALOG = 1 << 0,
	/** That of --directory, or `$XDG_CACHE_HOME/vmtest`. */
	COMMAND_DIRECTORY = 1 << 1,
	/** That of --store, `$VMTEST_STORE` or the catalog; not listed yet. */
	COMMAND_STORE = 1 << 2,
};

/**
 * Open parts of the context; they are closed with it.
 *
 * @param[in] parts Of enum command_part; those that are open stay open.
 */
_must_check_ struct error *command_open(struct command_context *context,
					unsigned int parts);

/** What --kernel, --arch and --flavor ask for; borrowed from the context. */
struct release_selection command_selection(const struct command_context *context);

/** The one architecture of --arch; without it, this machine's. */
_must_check_ struct error *command_arch(const struct command_context *context,
					const struct catalog_arch **ret);

/**
 * Write one of a command's results: its line, or, for --json, its row of the
 * array that command_rows_print() prints.
 *
 * @param[in] row A jansson value; consumed, NULL is memory that has run out.
 */
_printf_(3, 4) void command_row(struct command_context *context,
				struct json_t *row, const char *format, ...);

/** The same where only JSON has rows. */
void command_row_add(struct command_context *context, struct json_t *row);

/**
 * With --json, print the rows; without, nothing. If a command fails before it
 * has done so, main() does it.
 */
_must_check_ struct error *command_rows_print(struct command_context *context);

/** Write a jansson document, indented, to stdout; consumed. */
_must_check_ struct error *command_print_json(struct json_t *json);

/**
 * Our directory of a kind, as the XDG Base Directory Specification has it.
 *
 * @param[in] name `XDG_CACHE_HOME`
 * @param[in] usual Below HOME: `.cache`.
 * @return NULL if neither is an absolute path; free().
 */
char *command_home(const char *name, const char *usual);

/**
 * Where temporary files go: TMPDIR, if it is the absolute path of a directory,
 * which is warned of if it is not.
 */
const char *command_temporary(const char *usual);

/** An environment variable; NULL if it is empty, too. */
const char *command_variable(const char *name);

#endif /* COMMON_COMMAND_COMMAND_H */
