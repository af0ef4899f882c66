// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/make.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "common/base/system.h"
#include "common/kernel/compiler.h"
#include "common/kernel/kernel_make.h"

struct make {
	char *source;
	char *build;
	/** NULL if none is kept. */
	char *log_path;
	int log_fd;
	const struct catalog_arch *arch;
	const struct compiler *compiler;
	/** Arguments of every run in the source tree. */
	struct string_list common;
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

static struct error *write_wrapper(const char *build, char **ret)
{
	struct error *err;

	_cleanup_free_ char *path = path_join(build, ".vmtest-pahole");
	err = file_write(path, pahole_wrapper, sizeof(pahole_wrapper) - 1);
	if (err)
		return err;
	if (chmod(path, 0755) < 0)
		return error_create_os(errno, "chmod %s", path);
	*ret = take_ptr(path);
	return NULL;
}

static void add_prefix_maps(struct make *make, const char *variable)
{
	const char *directory = make->compiler->directory;
	_cleanup_free_ char *compiler = NULL;

	// Where one folder holds the other, the last that fits is what counts.
	_cleanup_free_ char *source =
		string_format("-ffile-prefix-map=%s/=", make->source);
	_cleanup_free_ char *build =
		string_format("-ffile-prefix-map=%s=.", make->build);
	// Headers of a compiler that was downloaded are where its user wanted.
	if (directory)
		compiler = string_format(" -ffile-prefix-map=%s=/crosstool",
					 directory);
	bool source_last = strlen(make->source) > strlen(make->build);
	string_list_addf(&make->common, "%s=%s %s%s", variable,
			 source_last ? build : source,
			 source_last ? source : build, compiler ? compiler : "");
}

static void add_common(struct make *make, const char *pahole, unsigned int jobs)
{
	string_list_add(&make->common, "make");
	string_list_addf(&make->common, "-j%u",
			 jobs ? jobs : processors_usable());
	string_list_add(&make->common, "-C");
	string_list_add(&make->common, make->source);
	string_list_addf(&make->common, "O=%s", make->build);
	kernel_make_add_compiler(&make->common, make->arch, make->compiler);
	string_list_add(&make->common, "KBUILD_BUILD_USER=vmtest");
	string_list_add(&make->common, "KBUILD_BUILD_HOST=vmtest");
	string_list_add(&make->common, "KBUILD_BUILD_VERSION=1");
	string_list_add(&make->common,
			"KBUILD_BUILD_TIMESTAMP=" KBUILD_TIMESTAMP);
	// Given and empty, it keeps a '+' for a git tree with changes away.
	string_list_add(&make->common, "LOCALVERSION=");
	add_prefix_maps(make, "KCFLAGS");
	add_prefix_maps(make, "KAFLAGS");
	// A package built on a new system builds modules on an older one. In
	// 5.10 objtool does not ask for what a static libelf needs; where it
	// stands before the objects, as it does for others, it is not used.
	// Expanded at once: make would ask again for each command that it runs.
	string_list_add(&make->common,
			"HOSTLDFLAGS:=-static $(shell pkg-config --static --libs libelf)");
	string_list_add(&make->common, "HOSTPKG_CONFIG=pkg-config --static");
	string_list_addf(&make->common, "PAHOLE=%s", pahole);
}

struct error *make_create(const char *source, const char *build,
			  const struct catalog_arch *arch,
			  const struct compiler *compiler, unsigned int jobs,
			  const char *log_path, struct make **ret)
{
	struct error *err;

	err = kernel_make_check_path(source);
	if (err)
		return err;
	err = kernel_make_check_path(build);
	if (err)
		return err;
	_cleanup_free_ char *pahole = NULL;
	err = write_wrapper(build, &pahole);
	if (err)
		return err;

	_cleanup_make_ struct make *make = memory_allocate(1, sizeof(*make));
	make->log_fd = -1;
	make->arch = arch;
	make->source = strdup(source);
	make->build = strdup(build);
	make->log_path = log_path ? strdup(log_path) : NULL;
	make->compiler = compiler;
	if (!make->source || !make->build || !make->log_path != !log_path)
		memory_exhausted();
	const char *output = log_path ? log_path : "/dev/null";
	make->log_fd =
		open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (make->log_fd < 0)
		return error_create_os(errno, "open %s", output);
	add_common(make, pahole, jobs);
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
	if (make->log_fd >= 0)
		close(make->log_fd);
	string_list_deinit(&make->common);
	free(make);
}

const struct compiler *make_compiler(const struct make *make)
{
	return make->compiler;
}

struct error *make_run(struct make *make, struct progress *progress,
		       const char *const *arguments)
{
	_cleanup_string_list_ struct string_list list = STRING_LIST_INIT;
	for (size_t i = 0; i < make->common.count; i++)
		string_list_add(&list, make->common.items[i]);
	for (size_t i = 0; arguments[i]; i++)
		string_list_add(&list, arguments[i]);

	const struct kernel_make_log log = { make->log_path, make->log_fd };
	return kernel_make_run(&list, &log, progress, NULL);
}

struct error *make_module(struct make *make, const char *kernel,
			  const char *module)
{
	const struct kernel_make_module options = {
		.arch = make->arch,
		.compiler = make->compiler,
		.kernel = kernel,
		.module = module,
	};
	const struct kernel_make_log log = { make->log_path, make->log_fd };

	return kernel_make_module(&options, &log);
}
