// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/compiler.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"

enum {
	/** How many of the last lines are shown when make fails. */
	TAIL_LINES = 25,
	LINE_SIZE = 512,
};

/** What is known of the output of one run. */
struct output {
	/** The line that is being read, cut if it is long. */
	char line[LINE_SIZE];
	size_t length;
	/** Ring of the last lines. */
	char tail[TAIL_LINES][LINE_SIZE];
	size_t line_count;
	/** The first that says that a file is missing; empty if none does. */
	char missing[LINE_SIZE];
	uint64_t compiled_count;
	struct progress *progress;
};

/**
 * Variables of the environment that change what the kernel's build does, as
 * they may be set for another build in the same shell. ccache rewrites paths if
 * it has a base directory, and leaves the directory out of what it compares if
 * told to: both bring names of directories into debugging information.
 */
static const char *const environment[] = {
	"LC_ALL=C",
	"TZ=UTC",
	"ARCH",
	"CCACHE_BASEDIR=",
	"CCACHE_HASHDIR=1",
	"CCACHE_NOHASHDIR",
	"CROSS_COMPILE",
	"GNUMAKEFLAGS",
	"INSTALL_MOD_DIR",
	"INSTALL_MOD_PATH",
	"INSTALL_MOD_STRIP",
	"KAFLAGS",
	"KBUILD_EXTMOD",
	"KBUILD_OUTPUT",
	"KBUILD_VERBOSE",
	"KCFLAGS",
	"KCONFIG_CONFIG",
	"KCPPFLAGS",
	"LLVM",
	"LOCALVERSION",
	"MAKEFLAGS",
	"MAKELEVEL",
	"MFLAGS",
	"SUBARCH",
	NULL,
};

struct error *kernel_make_check_path(const char *path)
{
	// These end up in make's variables and in lists of compiler flags.
	if (path[0] != '/' || strpbrk(path, " \t\n:#$%'\"\\=*?[]&|;()<>~`!"))
		return error_create(ERROR_USAGE,
				    "the kernel's build cannot cope with the path '%s'; use one without spaces and special characters",
				    path);
	return NULL;
}

void kernel_make_add_compiler(struct string_list *arguments,
			      const struct catalog_arch *arch,
			      const struct compiler *compiler)
{
	const char *cache = process_program_exists("ccache") ? "ccache " : "";

	string_list_addf(arguments, "ARCH=%s", arch->kernel_arch);
	string_list_addf(arguments, "CROSS_COMPILE=%s", compiler->prefix);
	string_list_addf(arguments, "CC=%s%s", cache, compiler->program);
	string_list_addf(arguments, "HOSTCC=%sgcc", cache);
}

/** The file that a line of the build's output is about: `  CC [M]  fs/foo.o`. */
static const char *line_file(const char *line)
{
	const char *space = strrchr(line, ' ');

	if (strncmp(line, "  ", 2) != 0 || line[2] < 'A' || line[2] > 'Z')
		return NULL;
	return space + 1;
}

/**
 * Whether that file is compiled for the kernel. Paths are relative there but to
 * an external module; those of host programs may be absolute.
 */
static bool line_is_compiled(const char *line, const char *file)
{
	bool is_module = strstr(line, " [M] ");

	return (strncmp(line, "  CC ", 5) == 0 || strncmp(line, "  AS ", 5) == 0) &&
	       (is_module || *file != '/');
}

static void output_end_line(struct output *output)
{
	output->line[output->length] = '\0';
	output->length = 0;
	memcpy(output->tail[output->line_count++ % TAIL_LINES], output->line,
	       LINE_SIZE);
	if (!output->missing[0] && strstr(output->line, "No such file"))
		memcpy(output->missing, output->line, LINE_SIZE);
	const char *file = line_file(output->line);
	if (!file)
		return;
	progress_detail(output->progress, file);
	if (line_is_compiled(output->line, file))
		progress_update(output->progress, ++output->compiled_count, 0);
}

static void output_add(struct output *output, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n')
			output_end_line(output);
		else if (output->length < LINE_SIZE - 1)
			output->line[output->length++] = data[i];
	}
}

static void output_log_tail(const struct output *output)
{
	size_t first = output->line_count > TAIL_LINES
			       ? output->line_count - TAIL_LINES
			       : 0;

	for (size_t i = first; i < output->line_count; i++)
		log_error("| %s", output->tail[i % TAIL_LINES]);
}

static struct error *read_output(const struct kernel_make_log *log,
				 struct process *process, struct output *output)
{
	for (;;) {
		struct error *err;

		char data[16384];
		size_t size;
		err = process_read(process, 0, data, sizeof(data), &size);
		if (err)
			return err;
		if (!size)
			break;
		int errnum = write_all(log->fd, data, size);
		if (errnum)
			return error_create_os(errnum, "write %s",
					       log->path ? log->path
							 : "make's output");
		output_add(output, data, size);
	}
	if (output->length)
		output_end_line(output);
	return NULL;
}

/** An error that says where the output is, if it is kept. */
_must_check_ _printf_(2, 3) static struct error *error_make(
	const struct kernel_make_log *log, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	_cleanup_free_ char *text = string_vformat(format, ap);
	va_end(ap);
	return error_create(ERROR_OTHER, "%s%s%s", text,
			    log->path ? "; its log is " : "",
			    log->path ? log->path : "");
}

struct error *kernel_make_run(const struct string_list *arguments,
			      const struct kernel_make_log *log,
			      struct progress *progress, char **missing_ret)
{
	struct error *err;

	struct process_options options = {
		.arguments = (const char *const *)arguments->items,
		.environment = environment,
		.reads_stdout = true,
		.reads_stderr = true,
		// Compilers would go on in a directory that is being deleted.
		.guarded = true,
	};
	_cleanup_process_ struct process *process = NULL;
	err = process_spawn(&options, &process);
	if (err)
		return err;
	_cleanup_free_ struct output *output =
		memory_allocate(1, sizeof(*output));
	output->progress = progress;
	err = read_output(log, process, output);
	if (err)
		return err;
	struct process_status status;
	err = process_wait(process, 0, &status);
	if (err)
		return err;
	if (status.exit_status || status.signal)
		output_log_tail(output);
	if (status.signal)
		return error_make(log, "make was killed by signal %d",
				  status.signal);
	if (status.exit_status)
		return error_make(log, "make failed");
	if (missing_ret)
		*missing_ret = output->missing[0] ? string_copy(output->missing)
						  : NULL;
	return NULL;
}

struct error *kernel_make_module(const struct kernel_make_module *options,
				 const struct kernel_make_log *log)
{
	struct error *err;

	err = kernel_make_check_path(options->kernel);
	if (err)
		return err;
	err = kernel_make_check_path(options->module);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list list = { 0 };
	string_list_add(&list, "make");
	string_list_add(&list, "-C");
	string_list_add(&list, options->kernel);
	kernel_make_add_compiler(&list, options->arch, options->compiler);
	string_list_addf(&list, "M=%s", options->module);
	for (const char *const *argument = options->arguments;
	     argument && *argument; argument++)
		string_list_add(&list, *argument);
	string_list_add(&list, "modules");

	_cleanup_free_ char *missing = NULL;
	err = kernel_make_run(&list, log, options->progress, &missing);
	if (err)
		return err;
	if (missing)
		return error_make(log, "make went on without a file: %s",
				  missing);
	return NULL;
}
