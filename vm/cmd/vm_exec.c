// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "vm/guest/guest.h"
#include "vm/guest/guest_join.h"
#include "vm/guest/guest_names.h"

struct exec_options {
	const char *user;
	const char *directory;
	struct string_list environment;
	bool no_input;
};

#define INTO(type, field) OPTION_INTO(type, struct exec_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 0, "user", "USER[:GROUP]", "who runs the command, by names or numbers (default: as the guest's own command)", INTO(OPTION_STRING, user) },
	{ 0, "chdir", "DIR", "where the command runs (default: the working directory; with a root that is not the host's, where the guest's own command runs)", INTO(OPTION_STRING, directory) },
	{ 0, "env", "NAME[=VALUE]", "environment variable to set, or to pass on, besides those of the guest's own command; repeatable", INTO(OPTION_ITEM, environment) },
	{ 'n', "no-input", NULL, "take stdin from /dev/null, as ssh -n does", INTO(OPTION_FLAG, no_input) },
	{ 0 },
};
// clang-format on

/** The guest of that name, or the newest; free(). */
static struct error *find_guest(const char *name, char **ret)
{
	struct error *err;

	_cleanup_guest_info_list_ struct guest_info_list list = { 0 };
	if (name) {
		*ret = string_copy(name);
		return NULL;
	}
	err = guest_info_list_load(&list);
	if (err)
		return err;
	if (!list.count)
		return error_create(
			ERROR_NOT_FOUND,
			"no guest runs; 'vmtest-vm run' starts one, which --keep leaves running if its command fails");
	*ret = string_copy(list.items[0].name);
	return NULL;
}

static struct error *join(struct command_context *context, const char *name,
			  char *const *command)
{
	struct error *err;
	const struct exec_options *exec_options = context->options;

	_cleanup_string_list_ struct string_list environment = { 0 };
	err = command_environment(&exec_options->environment, &environment);
	if (err)
		return err;
	_cleanup_free_ char *guest = NULL;
	err = find_guest(name, &guest);
	if (err)
		return err;
	struct guest_config config = {
		.user = exec_options->user,
		.directory = exec_options->directory,
		.environment = environment,
		.command = command,
	};
	command_streams(&config, !exec_options->no_input);
	return guest_join(guest, &config, &context->status);
}

static struct error *run_exec(struct command_context *context)
{
	const struct command_line *line = &context->line;
	int before = line->before_count;

	if (before == line->argument_count || before > 1)
		return error_create(
			ERROR_USAGE,
			"exec: say [NAME] -- COMMAND; without a command, vmtest-vm shell");
	return join(context, before ? line->arguments[0] : NULL,
		    line->arguments + before);
}

static struct error *run_shell(struct command_context *context)
{
	static char *const command[] = {
		(char *)"/bin/sh", (char *)"-c",
		(char *)"case $SHELL in */nologin | */false | '') SHELL=/bin/sh ;; esac; exec \"$SHELL\"",
		NULL
	};

	if (context->line.argument_count > 1)
		return error_create(ERROR_USAGE, "shell: name one guest");
	return join(context, context->line.arguments[0], command);
}

#define DETAILS                                                                                  \
	"The guest is that of run --name NAME, or the newest one of this user, and runs its\n"   \
	"own command or has been kept (--keep). Streams, terminal and signals are as with\n"     \
	"run; it needs no network. What the command has started ends with it, but for\n"         \
	"daemons (setsid). When the guest's own command ends, all others do, unless it is\n"     \
	"kept. The exit status is the command's; 125 if it could not be run; 128 if the guest\n" \
	"has ended before it. On a terminal, Ctrl-] three times ends the command; this needs\n"  \
	"script(1) of util-linux in the guest."

const struct command vm_exec_command = {
	.name = "exec",
	.arguments = "[NAME] -- COMMAND [ARG...]",
	.summary = "run a command in a guest that runs",
	.details = DETAILS,
	.complete = guest_name_list,
	.options = { options },
	.options_size = sizeof(struct exec_options),
	.failure_status = RUN_STATUS_NOT_RUN,
	.run = run_exec,
};

const struct command vm_shell_command = {
	.name = "shell",
	.arguments = "[NAME]",
	.summary = "run a shell in a guest that runs",
	.details = DETAILS,
	.complete = guest_name_list,
	.options = { options },
	.options_size = sizeof(struct exec_options),
	.failure_status = RUN_STATUS_NOT_RUN,
	.run = run_shell,
};
