// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/process/process.h"
#include "vm/crash/dump.h"

enum {
	MODULES_LIMIT_BYTES = 16 << 20,
	/** Distributions have thousands, without debug information. */
	MODULES_LIMIT = 500,
};

/** Open the directory that is the first argument. */
static struct error *open_dump(const struct command_context *context,
			       struct dump_info *ret)
{
	struct error *err;

	if (!context->line.argument_count)
		return error_create(ERROR_USAGE,
				    "name a directory that --dump has made");
	err = dump_info_read(context->line.arguments[0], ret);
	if (!err)
		err = dump_info_check_kernel(ret);
	return err;
}

struct error *command_become(const char *program, const struct string_list *words)
{
	interrupt_release();
	execvp(program, words->items);
	if (errno == ENOENT)
		return error_create(ERROR_OTHER,
				    "%s is not there; install the package %s",
				    program,
				    strcmp(program, "drgn") == 0 ? "python3-drgn"
								 : program);
	return error_create_os(errno, "start %s", program);
}

/** What follows the directory on the command line, and `--` if it is there. */
static void add_arguments(const struct command_context *context,
			  struct string_list *words)
{
	char **arguments = context->line.arguments + 1;

	if (*arguments && strcmp(*arguments, "--") == 0)
		arguments++;
	for (; *arguments; arguments++)
		string_list_add(words, *arguments);
}

/** Add the modules of the package, of which drgn takes those that were loaded. */
static struct error *add_modules(const struct dump_info *info,
				 struct string_list *words)
{
	struct error *err;

	_cleanup_free_ char *path = path_join(info->kernel, "modules.dep");
	_cleanup_free_ char *text = NULL;
	err = file_read(path, MODULES_LIMIT_BYTES, &text, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;

	char *rest = text;

	for (char *line; (line = strsep(&rest, "\n"));) {
		line[strcspn(line, ":")] = '\0';
		if (!path_stays_below(line) || words->count > 2 * MODULES_LIMIT)
			continue;
		string_list_add(words, "-s");
		string_list_addf(words, "%s/%s", info->kernel, line);
	}
	return NULL;
}

static struct error *add_drgn(const struct command_context *context,
			      const struct dump_info *info, const char *core,
			      const char *vmlinux, struct string_list *words)
{
	struct error *err;

	const char *const first[] = { "drgn", "-c", core, "-s", vmlinux };
	for (size_t i = 0; i < array_size(first); i++)
		string_list_add(words, first[i]);
	if (info->module && file_exists(info->module)) {
		string_list_add(words, "-s");
		string_list_add(words, info->module);
	}
	err = add_modules(info, words);
	add_arguments(context, words);
	return err;
}

static struct error *debug(struct command_context *context)
{
	struct error *err;

	_cleanup_dump_info_ struct dump_info info = { 0 };
	err = open_dump(context, &info);
	if (err)
		return err;
	_cleanup_free_ char *vmlinux = dump_find_vmlinux(info.kernel);
	if (!vmlinux)
		return error_create(ERROR_OTHER,
				    "%s has no build/vmlinux, without which nothing can read its memory",
				    info.kernel);
	_cleanup_free_ char *core =
		path_join(context->line.arguments[0], DUMP_CORE);
	_cleanup_string_list_ struct string_list words = { 0 };
	if (strcmp(context->command->name, "drgn") == 0) {
		err = add_drgn(context, &info, core, vmlinux, &words);
		if (err)
			return err;
	} else {
		string_list_add(&words, "crash");
		string_list_add(&words, vmlinux);
		string_list_add(&words, core);
		add_arguments(context, &words);
	}
	process_drop_tokens();
	return command_become(words.items[0], &words);
}

static struct error *replay(struct command_context *context)
{
	struct error *err;

	if (context->line.argument_count > 1)
		return error_create(ERROR_USAGE, "%s: name one directory",
				    context->line.arguments[1]);
	_cleanup_dump_info_ struct dump_info info = { 0 };
	err = open_dump(context, &info);
	if (err)
		return err;
	if (chdir(info.directory) < 0)
		return error_create_os(errno, "go to %s", info.directory);
	_cleanup_string_list_ struct string_list words = { 0 };
	string_list_add(&words, "vmtest-vm");
	string_list_add_all(&words, &info.words);
	log_info("in %s, under %s", info.directory, info.release);
	return command_become("/proc/self/exe", &words);
}

const struct command vm_drgn_command = {
	.name = "drgn",
	.arguments = "DIRECTORY [--] [ARG...]",
	.summary = "open a dump with drgn",
	.details =
		"DIRECTORY is one that run --dump or test --dump has made. drgn gets the memory,\n"
		"the kernel's debug information and modules, and the arguments: a script, say.",
	.takes_program = true,
	.run = debug,
};

const struct command vm_crash_command = {
	.name = "crash",
	.arguments = "DIRECTORY [--] [ARG...]",
	.summary = "open a dump with crash",
	.details = "DIRECTORY is one that run --dump or test --dump has made. crash(8) gets the\n"
		   "memory, the kernel's debug information, and the arguments.",
	.takes_program = true,
	.run = debug,
};

const struct command vm_replay_command = {
	.name = "replay",
	.arguments = "DIRECTORY",
	.summary = "run again what has left a dump",
	.details =
		"DIRECTORY is one that run --dump or test --dump has made. The same command runs\n"
		"with the same options, in the same directory, under the same kernel, which must\n"
		"be there still. What the directory says is run: take only one of somebody whom\n"
		"you trust.",
	.takes_program = true,
	.failure_status = RUN_STATUS_NOT_RUN,
	.run = replay,
};
