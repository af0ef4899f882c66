// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
#include "common/interrupt.h"
#include "common/log.h"

enum exit_status {
	EXIT_STATUS_FAILED = 1,
	EXIT_STATUS_USAGE = 2,
};

#define COMMON_OPTION(field) offsetof(struct common_options, field)

// clang-format off
static const struct command_option common_options[] = {
	{ 'k', "kernel", "PATTERN[,...]", "kernels: a glob over releases, a version, a series or a flavor", OPTION_LIST, COMMON_OPTION(kernels) },
	{ 'a', "arch", "ARCH[,...]", "architectures (default: this machine's)", OPTION_LIST, COMMON_OPTION(archs) },
	{ 'f', "flavor", "FLAVOR[,...]", "flavors (default: all)", OPTION_LIST, COMMON_OPTION(flavors) },
	{ 0, "store", "STORE", "github:OWNER/REPO@TAG or dir:PATH (default: $VMTEST_STORE, then the catalog's)", OPTION_STRING, COMMON_OPTION(store) },
	{ 0, "catalog", "FILE", "catalog to use instead of the installed one", OPTION_STRING, COMMON_OPTION(catalog) },
	{ 'd', "directory", "DIR", "downloaded kernels and sources (default: $XDG_CACHE_HOME/vmtest)", OPTION_STRING, COMMON_OPTION(directory) },
	{ 'v', "verbose", NULL, "say more", OPTION_FLAG, COMMON_OPTION(verbose) },
	{ 'q', "quiet", NULL, "say nothing but errors", OPTION_FLAG, COMMON_OPTION(quiet) },
	{ 0, "json", NULL, "write lists as JSON", OPTION_FLAG, COMMON_OPTION(json) },
	{ 0 },
};
// clang-format on

static const struct command_option no_options[] = { { 0 } };

static const struct command_option *command_options(const struct command *command)
{
	return command->options ? command->options : no_options;
}

static void print_options(FILE *file, const struct command_option *options)
{
	for (const struct command_option *o = options; o->name; o++) {
		char letter[8] = "    ", left[64];

		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name,
			 o->argument ? " " : "", o->argument ? o->argument : "");
		fprintf(file, "  %-30s %s\n", left, o->help);
	}
}

static void print_common_help(FILE *file)
{
	fputs("\nCommon options:\n", file);
	print_options(file, common_options);
	fputs("      --version                  print the version\n"
	      "  -h, --help                     print this help\n"
	      "\nExit status: 0 done, 1 failed, 2 wrong usage.\n",
	      file);
}

static void print_program_help(FILE *file, const struct program *program)
{
	fprintf(file,
		"Usage: %s COMMAND [OPTION...] [ARG...]\n\n%s\n\nCommands:\n",
		program->name, program->summary);
	for (const struct command *c = program->commands; c->name; c++)
		fprintf(file, "  %-12s %s\n", c->name, c->summary);
	fprintf(file,
		"\n'%s COMMAND --help' describes a command and its options.\n",
		program->name);
	print_common_help(file);
}

static void print_command_help(FILE *file, const struct program *program,
			       const struct command *command)
{
	fprintf(file, "Usage: %s %s [OPTION...]%s%s\n\n%s\n", program->name,
		command->name, *command->arguments ? " " : "",
		command->arguments, command->summary);
	if (command->details)
		fprintf(file, "\n%s\n", command->details);
	if (command->options) {
		fputs("\nOptions:\n", file);
		print_options(file, command->options);
	}
	print_common_help(file);
}

static const struct command_option *
find_option(const struct command_option *options, char letter, const char *name,
	    size_t length)
{
	for (const struct command_option *o = options; o->name; o++) {
		if (name ? strncmp(o->name, name, length) == 0 &&
				    o->name[length] == '\0'
			 : o->letter == letter)
			return o;
	}
	return NULL;
}

static struct error *set_option(const struct command_option *option,
				const char *value, void *options)
{
	void *target = (char *)options + option->offset;
	char *end;

	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)target = true;
		return NULL;
	case OPTION_STRING:
		*(const char **)target = value;
		return NULL;
	case OPTION_NUMBER: {
		unsigned long number;

		errno = 0;
		number = strtoul(value, &end, 10);
		if (errno || *end || end == value || *value == '-' ||
		    number > 1000000000)
			return error_create(ERROR_USAGE,
					    "--%s: '%s' is no whole number",
					    option->name, value);
		*(unsigned int *)target = (unsigned int)number;
		return NULL;
	}
	case OPTION_LIST:
		// Not everything: what an unset variable asks for is not known.
		if (!value[strspn(value, ",")])
			return error_create(ERROR_USAGE,
					    "--%s: '%s' names nothing; leave it out to mean all",
					    option->name, value);
		string_list_add_split(target, value);
		return string_list_check(target);
	case OPTION_ITEM:
		string_list_add(target, value);
		return string_list_check(target);
	}
	return NULL;
}

/** A command line that is being read. */
struct parser {
	const struct command *command;
	struct common_options *common;
	void *options;
	char **argv;
	int argc;
	/** The next argument. */
	int index;
	bool help;
	bool version;
};

/** Find the option in the command's table, then in the common one. */
static const struct command_option *parser_find(const struct parser *parser,
						char letter, const char *name,
						size_t length, void **options_ret)
{
	const struct command_option *option =
		find_option(command_options(parser->command), letter, name,
			    length);

	*options_ret = parser->options;
	if (option)
		return option;
	*options_ret = parser->common;
	return find_option(common_options, letter, name, length);
}

static struct error *parser_value(struct parser *parser, const char *shown,
				  const char **ret)
{
	if (parser->index >= parser->argc)
		return error_create(ERROR_USAGE,
				    "%s needs an argument; see --help", shown);
	*ret = parser->argv[parser->index++];
	return NULL;
}

static struct error *parse_long(struct parser *parser, const char *argument)
{
	struct error *err;
	const char *name = argument + 2, *value = strchr(name, '=');
	size_t length = value ? (size_t)(value - name) : strlen(name);
	const struct command_option *option;
	void *options;

	if (strcmp(name, "help") == 0) {
		parser->help = true;
		return NULL;
	}
	option = parser_find(parser, 0, name, length, &options);
	// A command may have an option of this name, with an argument.
	if (!option && strcmp(name, "version") == 0) {
		parser->version = true;
		return NULL;
	}
	if (!option)
		return error_create(ERROR_USAGE,
				    "unknown option '%s'; see --help", argument);
	if (option->type == OPTION_FLAG && value)
		return error_create(ERROR_USAGE, "--%s takes no argument",
				    option->name);
	if (value) {
		value++;
	} else if (option->type != OPTION_FLAG) {
		err = parser_value(parser, argument, &value);
		if (err)
			return err;
	}
	return set_option(option, value, options);
}

static struct error *parse_short(struct parser *parser, const char *argument)
{
	struct error *err;

	for (const char *p = argument + 1; *p; p++) {
		const struct command_option *option;
		const char *value = NULL, shown[] = { '-', *p, '\0' };
		void *options;

		if (*p == 'h') {
			parser->help = true;
			return NULL;
		}
		option = parser_find(parser, *p, NULL, 0, &options);
		if (!option)
			return error_create(ERROR_USAGE,
					    "unknown option '%s'; see --help",
					    shown);
		if (option->type != OPTION_FLAG && p[1]) {
			return set_option(option, p + 1, options);
		} else if (option->type != OPTION_FLAG) {
			err = parser_value(parser, shown, &value);
			if (err)
				return err;
		}
		err = set_option(option, value, options);
		if (err)
			return err;
	}
	return NULL;
}

/** Fill the options, and @p arguments with what is left. */
static struct error *parse(struct parser *parser, char **arguments, int *count_ret)
{
	int count = 0;
	bool options_end = false;

	while (parser->index < parser->argc && !parser->help && !parser->version) {
		struct error *err = NULL;
		char *argument = parser->argv[parser->index++];

		if (options_end || argument[0] != '-' || !argument[1]) {
			arguments[count++] = argument;
			options_end |= parser->command->takes_program;
		} else if (strcmp(argument, "--") == 0) {
			options_end = true;
		} else if (argument[1] == '-') {
			err = parse_long(parser, argument);
		} else {
			err = parse_short(parser, argument);
		}
		if (err)
			return err;
	}
	arguments[count] = NULL;
	*count_ret = count;
	return NULL;
}

/** Free the lists among a command's options. */
static void options_deinit(const struct command_option *options, void *values)
{
	for (const struct command_option *o = options; o->name; o++) {
		if (o->type == OPTION_LIST || o->type == OPTION_ITEM)
			string_list_deinit((void *)((char *)values + o->offset));
	}
}

static int print_version(const struct program *program)
{
	printf("%s %s\n", program->name, VMTEST_VERSION);
	return 0;
}

static enum log_level chosen_level(const struct common_options *common)
{
	if (common->quiet)
		return LOG_ERROR;
	return common->verbose ? LOG_DEBUG : LOG_INFO;
}

static struct error *command_execute(const struct program *program,
				     const struct command *command, int argc,
				     char **argv, int *status_ret)
{
	struct error *err;
	struct common_options common = { 0 };
	_cleanup_free_ void *options = NULL;
	_cleanup_free_ char **arguments = NULL;
	struct command_context context = { .common = &common };
	struct parser parser = {
		.command = command,
		.common = &common,
		.argc = argc,
		.argv = argv,
		.index = 2,
	};

	options = calloc(1, command->options_size + 1);
	arguments = calloc((size_t)argc + 1, sizeof(*arguments));
	if (!options || !arguments)
		return error_no_memory();
	parser.options = options;
	context.options = options;
	context.arguments = arguments;
	err = parse(&parser, arguments, &context.argument_count);
	if (!err && parser.help) {
		print_command_help(stdout, program, command);
	} else if (!err && parser.version) {
		*status_ret = print_version(program);
	} else if (!err && context.argument_count && !*command->arguments) {
		err = error_create(ERROR_USAGE,
				   "%s takes no argument '%s'; see --help",
				   command->name, arguments[0]);
	} else if (!err) {
		log_init(program->name, chosen_level(&common));
		err = command->run(&context, status_ret);
	}
	options_deinit(command_options(command), options);
	options_deinit(common_options, &common);
	return err;
}

/** Results that could not be written are a failure, such as a full disk. */
static struct error *flush_results(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return error_create_os(errno, "write to stdout");
	return NULL;
}

static int report(struct error *err, const struct command *command)
{
	int status = command && command->failure_status ? command->failure_status
							: EXIT_STATUS_FAILED;

	if (error_is(err, ERROR_USAGE))
		status = EXIT_STATUS_USAGE;
	log_error("%s", error_message(err));
	error_destroy(err);
	interrupt_deliver();
	return status;
}

int command_main(const struct program *program, int argc, char **argv)
{
	struct error *err;
	const struct command *command;
	const char *name = argc > 1 ? argv[1] : NULL;
	int status = 0;

	log_init(program->name, LOG_INFO);
	interrupt_block();
	if (!name) {
		print_program_help(stderr, program);
		return EXIT_STATUS_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
	    strcmp(name, "help") == 0) {
		print_program_help(stdout, program);
		return 0;
	}
	if (strcmp(name, "--version") == 0)
		return print_version(program);
	for (command = program->commands; command->name; command++) {
		if (strcmp(command->name, name) == 0)
			break;
	}
	if (!command->name)
		return report(error_create(ERROR_USAGE,
					   "unknown command '%s'; see %s --help",
					   name, program->name),
			      NULL);
	err = command_execute(program, command, argc, argv, &status);
	if (!err)
		err = flush_results();
	if (err)
		return report(err, command);
	return status;
}
