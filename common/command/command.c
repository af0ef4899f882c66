// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/command/command_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"
#include "common/store/store.h"

enum {
	EXIT_STATUS_USAGE = 2
};

#define INTO(type, field) OPTION_INTO(type, struct common_options, field)

// clang-format off
// In the order of enum common_option.
const struct command_option common_option_table[] = {
	{ 'k', "kernel", "PATTERN[,...]", "kernels: a glob over releases, a version, a series, a flavor, or a path", INTO(OPTION_LIST, kernels) },
	{ 'a', "arch", "ARCH[,...]", "architectures, or host, all, foreign (default: $VMTEST_ARCH, else host; for the bot and lists: all)", INTO(OPTION_LIST, archs), .variable = "VMTEST_ARCH" },
	{ 'f', "flavor", "FLAVOR[,...]", "flavors (default: all; to build or configure one kernel: default)", INTO(OPTION_LIST, flavors) },
	{ 0, "store", "STORE", "github:OWNER/REPO@TAG or dir:PATH (default: $VMTEST_STORE, then the catalog's)", INTO(OPTION_STRING, store) },
	{ 0, "catalog", "FILE", "catalog to use (default: $VMTEST_CATALOG, then the installed one)", INTO(OPTION_STRING, catalog) },
	{ 'd', "directory", "DIR", "downloaded kernels and sources (default: $XDG_CACHE_HOME/vmtest)", INTO(OPTION_STRING, directory) },
	{ 'v', "verbose", NULL, "say more", INTO(OPTION_FLAG, verbose) },
	{ 'q', "quiet", NULL, "say nothing but errors", INTO(OPTION_FLAG, quiet) },
	{ 0, "json", NULL, "write lists as JSON", INTO(OPTION_FLAG, json) },
	{ 0, "verify", NULL, "have gh(1) check the attestations of packages that come from GitHub (default: in Actions, for a catalog's store that it calls attested)", INTO(OPTION_FLAG, verify) },
	{ 0, "allow-unverified", NULL, "take packages of which the store has no digest, and compilers of which the catalog has none", INTO(OPTION_FLAG, allow_unverified) },
	{ 0 },
};
// clang-format on

/** Whether a command, or, if it is NULL, any, has that row of the table. */
static bool has_common(const struct command *command, size_t row)
{
	return !command || ((command->common | COMMON_ALWAYS) >> row & 1);
}

static void print_option(FILE *file, const struct command_option *option)
{
	char letter[8] = "    ", left[64];

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	bool is_switch = option->type == OPTION_SWITCH;
	snprintf(left, sizeof(left), "%s--%s%s%s%s", letter, option->name,
		 is_switch	    ? "[="
		 : option->argument ? " "
				    : "",
		 option->argument ? option->argument : "", is_switch ? "]" : "");
	// Two spaces at least: help2man takes them for the end of it.
	fprintf(file, "  %-29s  %s\n", left, option->help);
}

/** @param[in] command NULL for what commands have in common. */
static void print_common_help(FILE *file, const struct command *command)
{
	fputs("\nCommon options:\n", file);
	for (size_t i = 0; common_option_table[i].name; i++) {
		if (has_common(command, i))
			print_option(file, &common_option_table[i]);
	}
	fputs("      --no-FLAG                  turn a flag off\n"
	      "      --version                  print the version\n"
	      "  -h, --help                     print this help\n",
	      file);
	// One with statuses of its own has told them.
	if (!command || !command->failure_status)
		fputs("\nExit status: 0 done, 1 failed, 2 wrong usage.\n", file);
}

static void print_program_help(FILE *file, const struct program *program)
{
	fprintf(file,
		"Usage: %s COMMAND [OPTION...] [ARG...]\n\n%s\n\nCommands:\n",
		program->name, program->summary);
	for (const struct command *const *c = program->commands; *c; c++)
		fprintf(file, "  %-12s %s\n", (*c)->name, (*c)->summary);
	fprintf(file,
		"\n'%s COMMAND --help' describes a command and its options. Of the common ones it\n"
		"has those that it uses.\n",
		program->name);
	print_common_help(file, NULL);
}

static void print_command_help(const struct program *program,
			       const struct command *command)
{
	printf("Usage: %s %s [OPTION...]%s%s\n\n%s\n", program->name,
	       command->name, command->arguments ? " " : "",
	       command->arguments ? command->arguments : "", command->summary);
	if (command->details)
		printf("\n%s\n", command->details);
	if (command->options[0])
		puts("\nOptions:");
	for (size_t i = 0; command->options[i]; i++) {
		for (const struct command_option *o = command->options[i];
		     o->name; o++)
			print_option(stdout, o);
	}
	print_common_help(stdout, command);
}

/**
 * Have stdin, stdout and stderr, so that no file that is opened later takes the
 * number of one of them: in place of one that is closed, one that is empty and
 * takes nothing. Who stops reading what we write does not end us (SIGPIPE):
 * there is work that writes nothing.
 */
static struct error *open_streams(void)
{
	int fd;

	signal(SIGPIPE, SIG_IGN);
	// Not for writing: results that go nowhere are an error.
	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return error_create_os(errno, "open /dev/null");
	close(fd);
	return NULL;
}

/**
 * Write what stdout still holds. Failing is an error, as on a full disk; but if
 * nobody reads it any more, this ends the process as SIGPIPE does others.
 */
static struct error *flush_stdout(void)
{
	struct pollfd fd = { STDOUT_FILENO, POLLOUT, 0 };

	if (fflush(stdout) == 0 && !ferror(stdout))
		return NULL;
	// The errno may be of another call than the one that failed.
	int errnum = errno;

	if (poll(&fd, 1, 0) == 1 && fd.revents & (POLLERR | POLLHUP)) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	return error_create_os(errnum, "write to stdout");
}

static void print_version(const struct program *program)
{
	printf("%s %s\n", program->name, VMTEST_VERSION);
}

/** @param[in] argv Begins with the command's name. */
static struct error *execute(struct command_context *context, int argc,
			     char **argv)
{
	struct error *err;
	const struct program *program = context->program;
	const struct command *command = context->command;
	const struct common_options *common = context->common;

	enum command_request request;
	err = command_line_parse(&context->line, command->takes_program, argc,
				 argv, &request);
	if (err)
		return err;
	if (request == REQUEST_HELP)
		print_command_help(program, command);
	if (request == REQUEST_VERSION)
		print_version(program);
	if (request != REQUEST_RUN)
		return NULL;
	if (context->line.argument_count && !command->arguments)
		return error_create(ERROR_USAGE,
				    "%s takes no argument '%s'; see --help",
				    command->name, context->line.arguments[0]);
	err = command_line_set_variables(&context->line);
	if (err)
		return err;
	struct limits limits;
	err = limits_read(&limits);
	if (err)
		return err;
	log_init(program->name,
		 common->quiet	   ? LOG_ERROR
		 : common->verbose ? LOG_DEBUG
				   : LOG_INFO,
		 limits.silence_ms);
	context->http = http_create("vmtest/" VMTEST_VERSION, &limits);
	err = command_open(context, command->needs);
	if (!err)
		err = command->run(context);
	// What was done is worth telling; the error remains.
	if (err && context->rows)
		error_destroy(command_rows_print(context));
	return err;
}

static int report(struct error *err, const struct program *program,
		  const struct command *command)
{
	int status = command && command->failure_status ? command->failure_status
							: EXIT_FAILURE;

	if (error_is(err, ERROR_USAGE))
		status = EXIT_STATUS_USAGE;
	log_error("%s", error_message(err));
	if (program->tell)
		program->tell(error_message(err));
	error_destroy(err);
	// A signal does not write what stdio still holds.
	fflush(stdout);
	interrupt_release();
	return status;
}

bool command_context_init(struct command_context *context,
			  const struct program *program, const char *name)
{
	const struct command *const *c = program->commands;

	while (*c && strcmp((*c)->name, name) != 0)
		c++;
	const struct command *command = *c;
	if (!command)
		return false;
	*context = (struct command_context){
		.program = program,
		.command = command,
		.common = memory_allocate(1, sizeof(*context->common)),
		.options = memory_allocate(1, command->options_size),
	};
	// A command's own come first.
	for (size_t i = 0; command->options[i]; i++)
		command_line_add_table(&context->line, command->options[i],
				       context->options);
	for (size_t i = 0; common_option_table[i].name; i++) {
		if (has_common(command, i))
			command_line_add(&context->line, &common_option_table[i],
					 context->common);
	}
	return true;
}

void command_context_deinit(struct command_context *context)
{
	json_decref(context->rows);
	store_destroy(context->store);
	http_destroy(context->http);
	catalog_destroy(context->catalog);
	free(context->directory);
	command_line_deinit(&context->line);
	free(context->options);
	free(context->common);
}

static int run_command(const struct program *program, int argc, char **argv)
{
	struct error *err;
	struct command_context context;

	if (!command_context_init(&context, program, argv[0]))
		return report(error_create(ERROR_USAGE,
					   "unknown command '%s'; see %s --help",
					   argv[0], program->name),
			      program, NULL);
	err = execute(&context, argc, argv);
	command_context_deinit(&context);
	if (!err)
		err = flush_stdout();
	else if (!error_is(err, ERROR_CANCELLED))
		error_destroy(flush_stdout());
	return err ? report(err, program, context.command) : context.status;
}

int command_main(const struct program *program, int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	// What is made here is run later: others may read it at most.
	umask(umask(022) | 022);
	// Before anything else opens a file.
	struct error *err = open_streams();
	log_init(program->name, LOG_INFO, LOG_SILENCE_MS);
	interrupt_catch();
	process_hide_environment();
	if (err)
		return report(err, program, NULL);
	if (!name) {
		print_program_help(stderr, program);
		return EXIT_STATUS_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
	    strcmp(name, "help") == 0)
		print_program_help(stdout, program);
	else if (strcmp(name, "--version") == 0)
		print_version(program);
	else if (strcmp(name, "__complete") == 0)
		command_complete(program, argc - 2, argv + 2);
	else
		return run_command(program, argc - 1, argv + 1);
	return 0;
}
