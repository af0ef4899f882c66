// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/cli/command.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/cli/streams.h"
#include "common/github/workflow_command.h"
#include "common/http/limits.h"
#include "common/process/environment.h"

enum exit_status {
	EXIT_STATUS_FAILED = 1,
	EXIT_STATUS_USAGE = 2,
};

#define COMMON_OPTION(field) offsetof(struct common_options, field)

// clang-format off
static const struct command_option common_options[] = {
	{ 'k', "kernel", "PATTERN[,...]", "kernels: a glob over releases, a version, a series or a flavor", OPTION_LIST, COMMON_OPTION(kernels) },
	{ 'a', "arch", "ARCH[,...]", "architectures, or host, all, foreign (default: host; of the bot and of lists: all)", OPTION_LIST, COMMON_OPTION(archs) },
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

static const struct command_option *own_options(const struct command *command)
{
	return command->options ? command->options : no_options;
}

static const struct command_option *shared_options(const struct command *command)
{
	return command->shared_options ? command->shared_options : no_options;
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
	fputs("      --no-FLAG                  take a flag back\n"
	      "      --version                  print the version\n"
	      "  -h, --help                     print this help\n",
	      file);
}

static void print_exit_status(FILE *file)
{
	fputs("\nExit status: 0 done, 1 failed, 2 wrong usage.\n", file);
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
	print_exit_status(file);
}

static void print_command_help(FILE *file, const struct program *program,
			       const struct command *command)
{
	fprintf(file, "Usage: %s %s [OPTION...]%s%s\n\n%s\n", program->name,
		command->name, *command->arguments ? " " : "",
		command->arguments, command->summary);
	if (command->details)
		fprintf(file, "\n%s\n", command->details);
	if (command->options || command->shared_options) {
		fputs("\nOptions:\n", file);
		print_options(file, own_options(command));
		print_options(file, shared_options(command));
	}
	print_common_help(file);
	// One with statuses of its own has told them.
	if (!command->failure_status)
		print_exit_status(file);
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

static void set_without_value(const struct command_option *option, void *target)
{
	if (option->type == OPTION_FLAG)
		*(bool *)target = true;
	else if (option->type == OPTION_OPTIONAL_NUMBER)
		*(unsigned int *)target = OPTION_NUMBER_OMITTED;
}

/** @param[in] value NULL if there is none, as a flag has none. */
static struct error *set_option(const struct command_option *option,
				const char *value, void *options)
{
	void *target = (char *)options + option->offset;
	char *end;

	if (!value) {
		set_without_value(option, target);
		return NULL;
	}
	switch (option->type) {
	case OPTION_FLAG:
		return NULL;
	case OPTION_STRING:
		*(const char **)target = value;
		return NULL;
	case OPTION_OPTIONAL_NUMBER:
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
		// A path may have commas of its own.
		if (*value == '/' || *value == '.')
			string_list_add(target, value);
		else
			string_list_add_split(target, value);
		return NULL;
	case OPTION_ITEM:
		string_list_add(target, value);
		return NULL;
	}
	return NULL;
}

/** A command line that is being read. */
struct parser {
	struct command_context *context;
	char **argv;
	int argc;
	/** The next argument. */
	int index;
	bool help;
	bool version;
};

/** Find the option in the command's tables, then in the common one. */
static const struct command_option *
context_find(const struct command_context *context, char letter,
	     const char *name, size_t length, void **options_ret)
{
	const struct command_option *option =
		find_option(own_options(context->command), letter, name, length);

	*options_ret = context->options;
	if (!option)
		option = find_option(shared_options(context->command), letter,
				     name, length);
	if (option)
		return option;
	*options_ret = context->common;
	return find_option(common_options, letter, name, length);
}

/** Set an option that is on the command line. */
static struct error *parser_set(struct parser *parser,
				const struct command_option *option,
				const char *value, void *options)
{
	string_list_add(&parser->context->given, option->name);
	return set_option(option, value, options);
}

/** Whether the next argument is the number that an option may have. */
static bool parser_has_number(const struct parser *parser)
{
	const char *next =
		parser->index < parser->argc ? parser->argv[parser->index] : "";

	return *next && !next[strspn(next, "0123456789")];
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

/** Whether the next argument belongs to the option. */
static bool option_takes_value(const struct parser *parser,
			       const struct command_option *option)
{
	if (option->type == OPTION_OPTIONAL_NUMBER)
		return parser_has_number(parser);
	return option->type != OPTION_FLAG;
}

/** Take a flag back that was set, or is set elsewhere. */
static void parser_unset(struct parser *parser,
			 const struct command_option *option, void *options)
{
	string_list_add(&parser->context->given, option->name);
	*(bool *)((char *)options + option->offset) = false;
}

static struct error *parse_long(struct parser *parser, const char *argument)
{
	struct error *err;
	static const char negation[] = "no-";
	const char *name = argument + 2, *value = strchr(name, '=');
	size_t length = value ? (size_t)(value - name) : strlen(name);
	const struct command_option *option;
	void *options;

	if (strcmp(name, "help") == 0) {
		parser->help = true;
		return NULL;
	}
	option = context_find(parser->context, 0, name, length, &options);
	if (!option && strncmp(name, negation, strlen(negation)) == 0) {
		name += strlen(negation);
		option = context_find(parser->context, 0, name, strlen(name),
				      &options);
		if (option && option->type == OPTION_FLAG) {
			parser_unset(parser, option, options);
			return NULL;
		}
		option = NULL;
	}
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
	} else if (option_takes_value(parser, option)) {
		err = parser_value(parser, argument, &value);
		if (err)
			return err;
	}
	return parser_set(parser, option, value, options);
}

/** Whether what follows a letter in its argument is the option's value. */
static bool option_takes_rest(const struct command_option *option,
			      const char *rest)
{
	if (option->type == OPTION_OPTIONAL_NUMBER)
		return isdigit((unsigned char)*rest);
	return option->type != OPTION_FLAG;
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
		option = context_find(parser->context, *p, NULL, 0, &options);
		if (!option)
			return error_create(ERROR_USAGE,
					    "unknown option '%s'; see --help",
					    shown);
		if (p[1] && option_takes_rest(option, p + 1))
			return parser_set(parser, option, p + 1, options);
		if (!p[1] && option_takes_value(parser, option)) {
			err = parser_value(parser, shown, &value);
			if (err)
				return err;
		}
		err = parser_set(parser, option, value, options);
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
			options_end |= parser->context->command->takes_program;
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

bool command_was_given(const struct command_context *context, const char *name)
{
	return string_list_contains(&context->given, name);
}

/** Put items before those that are there. */
static void prepend_items(struct string_list *list,
			  const struct string_list *items)
{
	struct string_list all = STRING_LIST_INIT;

	for (size_t i = 0; i < items->count; i++)
		string_list_add(&all, items->items[i]);
	for (size_t i = 0; i < list->count; i++)
		string_list_add(&all, list->items[i]);
	string_list_deinit(list);
	*list = all;
}

struct error *command_set_default(const struct command_context *context,
				  const char *name,
				  const struct string_list *values)
{
	struct error *err = NULL;
	void *options;
	const struct command_option *option =
		context_find(context, 0, name, strlen(name), &options);

	if (!option)
		return NULL;
	if (option->type == OPTION_ITEM) {
		prepend_items((void *)((char *)options + option->offset), values);
		return NULL;
	}
	if (command_was_given(context, name))
		return NULL;
	if (option->type == OPTION_FLAG)
		return set_option(option, NULL, options);
	for (size_t i = 0; i < values->count && !err; i++)
		err = set_option(option, values->items[i], options);
	return err;
}

static void format_number(const struct command_option *option,
			  unsigned int number, struct string_list *ret)
{
	if (number == OPTION_NUMBER_OMITTED)
		string_list_addf(ret, "--%s", option->name);
	else if (number)
		string_list_addf(ret, "--%s=%u", option->name, number);
}

void command_format_options(const struct command_option *table,
			    const void *options, struct string_list *ret)
{
	for (const struct command_option *o = table; o->name; o++) {
		const void *value = (const char *)options + o->offset;
		const struct string_list *list = value;

		switch (o->type) {
		case OPTION_FLAG:
			if (*(const bool *)value)
				string_list_addf(ret, "--%s", o->name);
			break;
		case OPTION_STRING:
			if (*(const char *const *)value)
				string_list_addf(ret, "--%s=%s", o->name,
						 *(const char *const *)value);
			break;
		case OPTION_NUMBER:
		case OPTION_OPTIONAL_NUMBER:
			format_number(o, *(const unsigned int *)value, ret);
			break;
		case OPTION_LIST:
		case OPTION_ITEM:
			for (size_t i = 0; i < list->count; i++)
				string_list_addf(ret, "--%s=%s", o->name,
						 list->items[i]);
			break;
		}
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

static struct error *command_run(const struct program *program,
				 const struct command_context *context,
				 int *status_ret)
{
	struct error *err;
	struct limits limits;

	err = limits_read(&limits);
	if (err)
		return err;
	log_init(program->name, chosen_level(context->common), limits.silence_ms);
	return context->command->run(context, status_ret);
}

static struct error *command_execute(const struct program *program,
				     const struct command *command, int argc,
				     char **argv, int *status_ret)
{
	struct error *err;
	struct common_options common = { 0 };
	_cleanup_free_ void *options = NULL;
	_cleanup_free_ char **arguments = NULL;
	struct command_context context = {
		.command = command,
		.common = &common,
	};
	struct parser parser = {
		.context = &context,
		.argc = argc,
		.argv = argv,
		.index = 2,
	};

	options = calloc(1, command->options_size + 1);
	arguments = calloc((size_t)argc + 1, sizeof(*arguments));
	if (!options || !arguments)
		memory_exhausted();
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
		err = command_run(program, &context, status_ret);
	}
	options_deinit(own_options(command), options);
	options_deinit(shared_options(command), options);
	options_deinit(common_options, &common);
	string_list_deinit(&context.given);
	return err;
}

static int report(struct error *err, const struct program *program,
		  const struct command *command)
{
	int status = command && command->failure_status ? command->failure_status
							: EXIT_STATUS_FAILED;

	if (error_is(err, ERROR_USAGE))
		status = EXIT_STATUS_USAGE;
	log_error("%s", error_message(err));
	if (program->annotates_errors)
		workflow_log_annotation(WORKFLOW_ERROR, program->name, "%s",
					error_message(err));
	error_destroy(err);
	// A signal does not write what stdio still holds.
	fflush(stdout);
	interrupt_deliver();
	return status;
}

int command_main(const struct program *program, int argc, char **argv)
{
	struct error *err;
	const struct command *command;
	const char *name = argc > 1 ? argv[1] : NULL;
	int status = 0;

	log_init(program->name, LOG_INFO, LOG_SILENCE_MS);
	interrupt_catch();
	err = streams_open();
	if (err)
		return report(err, program, NULL);
	environment_hide();
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
			      program, NULL);
	err = command_execute(program, command, argc, argv, &status);
	if (!error_is(err, ERROR_CANCELLED)) {
		struct error *unwritten = streams_flush();

		if (err)
			error_destroy(unwritten);
		else
			err = unwritten;
	}
	if (err)
		return report(err, program, command);
	return status;
}
