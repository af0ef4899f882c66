// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdarg.h>
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
#include "common/process/sandbox.h"

enum {
	/** Of an excerpt: the last lines, and those after one of an error. */
	TAIL_LINES = 20,
	LINES_AFTER = 4,
	/** As many lines around errors as are shown: the first ones tell most. */
	ERROR_LINES = 60,
	/** More of a line is not shown: a console's may have no end. */
	LINE_BYTES = 500,
	/** Of what make prints: a kernel's build has 2 MB. */
	OUTPUT_LIMIT_BYTES = 64 << 20,
};

/**
 * What compilers, linkers, kconfig, scripts, make and a kernel that boots say
 * when something goes wrong.
 */
static const char error_pattern[] =
	"[Ee]rror:|ERROR:|Error [0-9]|undefined reference|multiple definition of|"
	"cannot find|relocation truncated|FAILED|No such file|not found$|"
	"syntax error|[Rr]ecursive dependency|Segmentation fault|Killed|"
	"Kernel panic|BUG: |\\*\\*\\*";

/** What one run has printed. */
struct output {
	struct string_builder text;
	/** Where the line begins that is being read. */
	size_t line;
	uint64_t compiled_count;
	struct progress *progress;
};

static void output_deinit(struct output *output)
{
	string_builder_deinit(&output->text);
}

const char *const kernel_make_inherited[] = {
	"PATH",
	"HOME",
	"TMPDIR",
	"LANG",
	"LC_*",
	"LD_LIBRARY_PATH",
	"PKG_CONFIG_PATH",
	// Where ccache has its cache and configuration, which may name a
	// storage elsewhere. A variable that does holds its password.
	"CCACHE_CONFIGPATH",
	"CCACHE_DIR",
	"CCACHE_DISABLE",
	"CCACHE_MAXSIZE",
	"CCACHE_TEMPDIR",
	"XDG_CACHE_HOME",
	"XDG_CONFIG_HOME",
	NULL,
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
	// For $(shell) in what make is given on its command line, which it
	// expands before it has a shell of its own.
	"SHELL=/bin/sh",
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
			      const struct compiler *compiler, bool caches)
{
	const char *cache =
		caches && process_program_exists("ccache") ? "ccache " : "";

	string_list_addf(arguments, "ARCH=%s", arch->kernel_arch);
	if (compiler->is_llvm)
		string_list_add(arguments, "LLVM=1");
	else
		string_list_addf(arguments, "CROSS_COMPILE=%s", compiler->prefix);
	string_list_addf(arguments, "CC=%s%s", cache, compiler->program);
	string_list_addf(arguments, "HOSTCC=%sgcc", cache);
}

char *kernel_make_flags(const struct catalog_arch *arch)
{
	// Kernels before 5.10 drop the places of variables, to compile faster.
	return string_format("-fvar-tracking-assignments%s%s",
			     arch->cflags ? " " : "",
			     arch->cflags ? arch->cflags : "");
}

/** Append a line that ends before @p end, cut between two characters. */
static void append_line(struct string_builder *sb, const char *line,
			const char *end)
{
	size_t size = (size_t)(end - line);
	size_t shown = utf8_cut(line, size, LINE_BYTES);

	string_builder_append_n(sb, line, shown);
	if (shown < size)
		string_builder_append(sb, "...\n");
}

char *kernel_make_excerpt(const char *output, size_t size)
{
	_cleanup_string_builder_ struct string_builder plain = { 0 }, sb = { 0 };
	text_append_plain(&plain, output, size);
	if (plain.length && plain.text[plain.length - 1] != '\n')
		string_builder_append_char(&plain, '\n');
	_cleanup_free_ char *text = string_builder_take(&plain);
	const char *tail = output_last_lines(text, TAIL_LINES);
	_cleanup_(regfree) regex_t pattern;
	regcomp(&pattern, error_pattern, REG_EXTENDED | REG_NOSUB);
	// Lines before `shown` are in the excerpt, or left out for good.
	const char *shown = text, *previous = text;
	unsigned int wanted = 0, count = 0;
	for (char *line = text, *end; *line; previous = line, line = end) {
		const char *from = line;

		end = strchr(line, '\n');
		*end = '\0';
		if (count < ERROR_LINES &&
		    regexec(&pattern, line, 0, NULL, 0) == 0) {
			wanted = 1 + LINES_AFTER;
			// The one before it may say in which function it is.
			from = previous > shown ? previous : shown;
		}
		*end++ = '\n';
		if (!wanted && line < tail)
			continue;
		if (from > shown)
			string_builder_append(&sb, "...\n");
		if (from < line)
			append_line(&sb, from, line);
		append_line(&sb, line, end);
		shown = end;
		count++;
		wanted -= wanted > 0;
	}
	return string_builder_take(&sb);
}

char *kernel_make_first_error(const char *text)
{
	_cleanup_(regfree) regex_t pattern;
	regcomp(&pattern, error_pattern, REG_EXTENDED | REG_NOSUB);
	_cleanup_free_ char *copy = string_copy(text);
	char *rest = copy, *line;
	while ((line = strsep(&rest, "\n"))) {
		if (regexec(&pattern, line, 0, NULL, 0) == 0)
			return string_copy_n(line, utf8_cut(line, strlen(line),
							    LINE_BYTES));
	}
	return NULL;
}

/** Show the file that a line is about: `  CC [M]  fs/foo.o`. */
static void show_line(struct output *output, const char *line)
{
	if (strncmp(line, "  ", 2) != 0 || line[2] < 'A' || line[2] > 'Z')
		return;
	const char *file = strrchr(line, ' ') + 1;
	progress_detail(output->progress, file);
	// Paths are relative but to an external module; those of programs of
	// the host may be absolute.
	if ((strncmp(line, "  CC ", 5) == 0 || strncmp(line, "  AS ", 5) == 0) &&
	    (*file != '/' || strstr(line, " [M] ")))
		progress_update(output->progress, ++output->compiled_count, 0);
}

static void output_add(struct output *output, const char *data, size_t size)
{
	char *newline;

	string_builder_append_n(&output->text, data, size);
	while ((newline = strchr(output->text.text + output->line, '\n'))) {
		*newline = '\0';
		show_line(output, output->text.text + output->line);
		*newline = '\n';
		output->line = (size_t)(newline + 1 - output->text.text);
	}
}

/** Read what make prints to its end, and keep it. */
static struct error *read_output(const char *log_path, struct process *process,
				 struct output *output)
{
	_cleanup_close_ int fd = -1;
	if (log_path) {
		fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			  0666);
		if (fd < 0)
			return error_create_os(errno, "open %s", log_path);
	}
	for (;;) {
		struct error *err;

		char data[16384];
		size_t size;
		err = process_read(process, 0, data, sizeof(data), &size);
		if (err || !size)
			return err;
		if (size > OUTPUT_LIMIT_BYTES - output->text.length)
			return error_create(ERROR_OTHER,
					    "make printed more than %d MB",
					    OUTPUT_LIMIT_BYTES >> 20);
		int errnum = log_path ? write_all(fd, data, size) : 0;
		if (errnum)
			return error_create_os(errnum, "write %s", log_path);
		output_add(output, data, size);
	}
}

/** An error that says where the output is, if it is kept. */
_must_check_ _printf_(2, 3) static struct error *error_make(const char *log_path,
							    const char *format,
							    ...)
{
	va_list ap;

	va_start(ap, format);
	_cleanup_free_ char *text = string_vformat(format, ap);
	va_end(ap);
	return error_create(ERROR_OTHER, "%s%s%s", text,
			    log_path ? "; its log is " : "",
			    log_path ? log_path : "");
}

/** make has succeeded, but need not have insisted on all that it wanted. */
static struct error *check_missing(const struct string_builder *output,
				   const char *log_path)
{
	static const char mark[] = "No such file";
	const char *found = output->length ? memmem(output->text, output->length,
						    mark, sizeof(mark) - 1)
					   : NULL;

	if (!found)
		return NULL;
	const char *before =
		memrchr(output->text, '\n', (size_t)(found - output->text));
	const char *line = before ? before + 1 : output->text;
	return error_make(log_path, "make went on without a file: %.*s",
			  (int)strcspn(line, "\n"), line);
}

struct error *kernel_make_run(const struct string_list *arguments,
			      const char *log_path, struct progress *progress,
			      bool needs_all, const struct sandbox *sandbox)
{
	struct error *err;

	struct process_options options = {
		.arguments = (const char *const *)arguments->items,
		.inherited = kernel_make_inherited,
		.reads_stdout = true,
		.reads_stderr = true,
		// Compilers would go on in a directory that is being deleted.
		.guarded = true,
	};
	_cleanup_string_list_ struct string_list variables = { 0 };
	if (sandbox) {
		sandbox_apply(sandbox, &options);
		string_list_add_all(&variables, &sandbox->environment);
	}
	for (size_t i = 0; environment[i]; i++)
		string_list_add(&variables, environment[i]);
	options.environment = (const char *const *)variables.items;
	_cleanup_process_ struct process *process = NULL;
	err = process_spawn(&options, &process);
	if (err)
		return err;
	_cleanup_(output_deinit) struct output output = { .progress = progress };
	err = read_output(log_path, process, &output);
	if (err)
		return err;
	struct process_status status;
	err = process_wait(process, 0, &status);
	if (err)
		return err;
	if (!status.exit_status && !status.signal)
		return needs_all ? check_missing(&output.text, log_path) : NULL;
	_cleanup_free_ char *excerpt =
		kernel_make_excerpt(output.text.text, output.text.length);
	char *rest = excerpt, *line;
	while ((line = strsep(&rest, "\n")) && rest)
		log_error("| %s", line);
	_cleanup_free_ char *ended = process_status_text(&status, "make");
	return error_make(log_path, "%s", status.signal ? ended : "make failed");
}

struct error *kernel_make_module(const struct kernel_make_module *options)
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
	kernel_make_add_compiler(&list, options->arch, options->compiler,
				 !options->sandbox);
	string_list_addf(&list, "M=%s", options->module);
	// Rather a module without BTF than none.
	if (!process_program_exists("pahole"))
		string_list_add(&list, "CONFIG_DEBUG_INFO_BTF_MODULES=");
	for (const char *const *argument = options->arguments;
	     argument && *argument; argument++)
		string_list_add(&list, *argument);
	string_list_add(&list, "modules");

	return kernel_make_run(&list, options->log_path, options->progress,
			       true, options->sandbox);
}
