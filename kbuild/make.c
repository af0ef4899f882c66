// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/make.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/catalog.h"
#include "common/error.h"
#include "common/file.h"
#include "common/interrupt.h"
#include "common/log.h"
#include "common/process.h"
#include "common/progress.h"
#include "common/string_builder.h"
#include "common/string_list.h"

enum {
	/** How many of the last lines are shown when make fails. */
	TAIL_LINES = 25,
	LINE_SIZE = 512,
};

struct make {
	char *source;
	char *build;
	char *log_path;
	int log_fd;
	const struct catalog_arch *arch;
	char *cross_prefix;
	/** Arguments of every run in the source tree. */
	struct string_list common;
	/** Those that a build in a package's folder shares with it. */
	struct string_list toolchain;
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
	uint64_t object_count;
	struct progress *progress;
};

/**
 * Variables of the environment that change what the kernel's build does, as
 * they may be set for another build in the same shell. ccache rewrites paths if
 * it has a base folder, and leaves the folder out of what it compares if told
 * to: both bring names of folders into debugging information.
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

/**
 * pahole's -j makes the order of types depend on its threads. The kernel's
 * build gives it without asking before 6.12, and later only where pahole knows
 * how to be reproducible nonetheless, which takes more memory. Dropping the
 * argument works for every version of both.
 */
static const char pahole_wrapper[] =
	"#!/bin/sh\n"
	"for argument do\n"
	"	shift\n"
	"	[ \"$argument\" = -j ] || set -- \"$@\" \"$argument\"\n"
	"done\n"
	"exec pahole \"$@\"\n";

static struct error *check_path(const char *path)
{
	// These end up in make's variables and in lists of compiler flags.
	if (path[0] != '/' || strpbrk(path, " \t\n:#$%'\"\\=*?[]&|;()<>~`!"))
		return error_create(ERROR_USAGE,
				    "the kernel's build cannot cope with the path '%s'; use one without spaces and special characters",
				    path);
	return NULL;
}

static struct error *write_wrapper(const char *build, char **ret)
{
	struct error *err;

	_cleanup_free_ char *path = NULL;
	err = path_join(build, ".vmtest-pahole", &path);
	if (err)
		return err;
	err = file_write(path, pahole_wrapper, sizeof(pahole_wrapper) - 1);
	if (err)
		return err;
	if (chmod(path, 0755) < 0)
		return error_create_os(errno, "chmod %s", path);
	*ret = take_ptr(path);
	return NULL;
}

static void add_toolchain(struct make *make)
{
	const char *cache = process_program_exists("ccache") ? "ccache " : "";

	string_list_addf(&make->toolchain, "ARCH=%s", make->arch->kernel_arch);
	string_list_addf(&make->toolchain, "CROSS_COMPILE=%s",
			 make->cross_prefix);
	string_list_addf(&make->toolchain, "CC=%s%sgcc", cache,
			 make->cross_prefix);
	string_list_addf(&make->toolchain, "HOSTCC=%sgcc", cache);
}

static void add_prefix_maps(struct make *make, const char *variable)
{
	_cleanup_free_ char *source = NULL, *build = NULL;

	// Where one folder holds the other, the last that fits is what counts.
	if (asprintf(&source, "-ffile-prefix-map=%s/=", make->source) < 0)
		source = NULL;
	if (asprintf(&build, "-ffile-prefix-map=%s=.", make->build) < 0)
		build = NULL;
	if (!source || !build) {
		make->common.failed = true;
		return;
	}
	bool source_last = strlen(make->source) > strlen(make->build);
	string_list_addf(&make->common, "%s=%s %s", variable,
			 source_last ? build : source,
			 source_last ? source : build);
}

static void add_common(struct make *make, const char *pahole, unsigned int jobs)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	string_list_add(&make->common, "make");
	string_list_addf(&make->common, "-j%u",
			 jobs		  ? jobs
			 : processors > 0 ? (unsigned int)processors
					  : 1);
	string_list_add(&make->common, "-C");
	string_list_add(&make->common, make->source);
	string_list_addf(&make->common, "O=%s", make->build);
	for (size_t i = 0; i < make->toolchain.count; i++)
		string_list_add(&make->common, make->toolchain.items[i]);
	string_list_add(&make->common, "KBUILD_BUILD_USER=vmtest");
	string_list_add(&make->common, "KBUILD_BUILD_HOST=vmtest");
	string_list_add(&make->common, "KBUILD_BUILD_VERSION=1");
	string_list_add(&make->common,
			"KBUILD_BUILD_TIMESTAMP=" KBUILD_TIMESTAMP);
	// Given and empty, it keeps a '+' for a git tree with changes away.
	string_list_add(&make->common, "LOCALVERSION=");
	add_prefix_maps(make, "KCFLAGS");
	add_prefix_maps(make, "KAFLAGS");
	// A package built on a new system builds modules on an older one.
	string_list_add(&make->common, "HOSTLDFLAGS=-static");
	string_list_add(&make->common, "HOSTPKG_CONFIG=pkg-config --static");
	string_list_addf(&make->common, "PAHOLE=%s", pahole);
}

struct error *make_create(const char *source, const char *build,
			  const struct catalog_arch *arch,
			  const char *cross_prefix, unsigned int jobs,
			  const char *log_path, struct make **ret)
{
	struct error *err;

	err = check_path(source);
	if (err)
		return err;
	err = check_path(build);
	if (err)
		return err;
	_cleanup_free_ char *pahole = NULL;
	err = write_wrapper(build, &pahole);
	if (err)
		return err;

	_cleanup_make_ struct make *make = calloc(1, sizeof(*make));
	if (!make)
		return error_no_memory();
	make->log_fd = -1;
	make->arch = arch;
	make->source = strdup(source);
	make->build = strdup(build);
	make->log_path = strdup(log_path);
	make->cross_prefix = strdup(cross_prefix);
	if (!make->source || !make->build || !make->log_path ||
	    !make->cross_prefix)
		return error_no_memory();
	make->log_fd =
		open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (make->log_fd < 0)
		return error_create_os(errno, "open %s", log_path);
	add_toolchain(make);
	add_common(make, pahole, jobs);
	err = string_list_check(&make->toolchain);
	if (err)
		return err;
	err = string_list_check(&make->common);
	if (err)
		return err;
	*ret = take_ptr(make);
	return NULL;
}

void make_destroy(struct make *make)
{
	if (!make)
		return;
	free(make->source);
	free(make->build);
	free(make->log_path);
	free(make->cross_prefix);
	if (make->log_fd >= 0)
		close(make->log_fd);
	string_list_deinit(&make->common);
	string_list_deinit(&make->toolchain);
	free(make);
}

const char *make_cross_prefix(const struct make *make)
{
	return make->cross_prefix;
}

/** The object that a line of the build's output is about: `  CC [M]  fs/foo.o`. */
static const char *line_object(const char *line)
{
	const char *space = strrchr(line, ' ');
	size_t length = strlen(line);

	if (strncmp(line, "  ", 2) != 0 || length < 2 ||
	    strcmp(line + length - 2, ".o") != 0)
		return NULL;
	return space + 1;
}

static void output_end_line(struct output *output)
{
	output->line[output->length] = '\0';
	output->length = 0;
	memcpy(output->tail[output->line_count++ % TAIL_LINES], output->line,
	       LINE_SIZE);
	if (!output->missing[0] && strstr(output->line, "No such file"))
		memcpy(output->missing, output->line, LINE_SIZE);
	const char *object = line_object(output->line);
	if (object) {
		progress_detail(output->progress, object);
		progress_update(output->progress, ++output->object_count, 0);
	}
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

/** Read what a child writes until all writers have closed the pipe. */
static struct error *read_output(const struct make *make, int fd,
				 struct output *output)
{
	struct error *err;

	_cleanup_close_ int interrupt_fd = -1;
	err = interrupt_open(&interrupt_fd);
	if (err)
		return err;
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = interrupt_fd, .events = POLLIN },
		};
		if (poll(fds, array_size(fds), -1) < 0 && errno != EINTR)
			return error_create_os(errno, "poll make's output");
		err = interrupt_check();
		if (err)
			return err;
		if (!fds[0].revents)
			continue;
		char data[16384];
		ssize_t size = read(fd, data, sizeof(data));
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return error_create_os(errno, "read make's output");
		if (!size)
			break;
		int errnum = write_all(make->log_fd, data, (size_t)size);
		if (errnum)
			return error_create_os(errnum, "write %s",
					       make->log_path);
		output_add(output, data, (size_t)size);
	}
	if (output->length)
		output_end_line(output);
	return NULL;
}

/** Run a command with its output in the log and in @p output. */
static struct error *run(const struct make *make,
			 const struct string_list *arguments,
			 struct output *output)
{
	struct error *err;

	err = string_list_check(arguments);
	if (err)
		return err;
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_create_os(errno, "pipe for make's output");
	_cleanup_close_ int read_fd = fds[0];
	_cleanup_close_ int write_fd = fds[1];
	struct process_options options = {
		.arguments = (const char *const *)arguments->items,
		.environment = environment,
		.stdout_fd = write_fd,
		.stderr_fd = write_fd,
	};
	_cleanup_process_ struct process *process = NULL;
	err = process_spawn(&options, &process);
	if (err)
		return err;
	close(take_fd(&write_fd));
	err = read_output(make, read_fd, output);
	if (err)
		return err;
	struct process_status status;
	err = process_wait(process, 0, &status);
	if (err)
		return err;
	if (!status.exit_status && !status.signal)
		return NULL;
	output_log_tail(output);
	if (status.signal)
		return error_create(ERROR_OTHER,
				    "make was killed by signal %d; its log is %s",
				    status.signal, make->log_path);
	return error_create(ERROR_OTHER, "make failed; its log is %s",
			    make->log_path);
}

struct error *make_run(struct make *make, const char *what,
		       const char *const *arguments)
{
	struct error *err;

	_cleanup_string_list_ struct string_list list = STRING_LIST_INIT;
	for (size_t i = 0; i < make->common.count; i++)
		string_list_add(&list, make->common.items[i]);
	for (size_t i = 0; arguments[i]; i++)
		string_list_add(&list, arguments[i]);

	_cleanup_free_ struct output *output = calloc(1, sizeof(*output));
	if (!output)
		return error_no_memory();
	_cleanup_progress_ struct progress *progress =
		what ? progress_create(what, PROGRESS_COUNT) : NULL;
	output->progress = progress;
	err = run(make, &list, output);
	if (err)
		return err;
	progress_finish(progress);
	return NULL;
}

struct error *make_module(struct make *make, const char *kernel,
			  const char *module)
{
	struct error *err;

	err = check_path(kernel);
	if (err)
		return err;
	err = check_path(module);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list list = STRING_LIST_INIT;
	string_list_add(&list, "make");
	string_list_add(&list, "-C");
	string_list_add(&list, kernel);
	for (size_t i = 0; i < make->toolchain.count; i++)
		string_list_add(&list, make->toolchain.items[i]);
	string_list_addf(&list, "M=%s", module);
	string_list_add(&list, "modules");

	_cleanup_free_ struct output *output = calloc(1, sizeof(*output));
	if (!output)
		return error_no_memory();
	err = run(make, &list, output);
	if (err)
		return err;
	if (output->missing[0])
		return error_create(ERROR_OTHER,
				    "the build folder lacks a file: %s; the log is %s",
				    output->missing, make->log_path);
	return NULL;
}
