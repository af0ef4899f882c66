// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/make.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/kernel/compiler.h"

/**
 * pahole's -j makes the order of types depend on its threads. The kernel's
 * build gives it without asking before 6.12, and later only where pahole knows
 * how to be reproducible nonetheless, which takes more memory. Dropping the
 * argument works for every version of both.
 *
 * From 1.24 on it writes enumerations of 64 bits, and signs of others, as BTF
 * that kernels before 6.0 and their resolve_btfids cannot read, unless it is
 * told not to. They refuse to load a module that has such.
 */
static const char pahole_wrapper[] =
	"#!/bin/sh\n"
	"for argument do\n"
	"	shift\n"
	"	[ \"$argument\" = -j ] || set -- \"$@\" \"$argument\"\n"
	"done\n"
	"option=--skip_encoding_btf_enum64\n"
	"if ! grep -qs BTF_KIND_ENUM64 \"$srctree/include/uapi/linux/btf.h\" &&\n"
	"	pahole $option --version >/dev/null 2>&1; then\n"
	"	set -- $option \"$@\"\n"
	"fi\n"
	"exec pahole \"$@\"\n";

static void add_flags(struct make *make, const char *variable)
{
	// Where one directory holds the other, the last that fits is what counts.
	_cleanup_free_ char *source =
		string_format("-ffile-prefix-map=%s/=", make->source);
	_cleanup_free_ char *build =
		string_format("-ffile-prefix-map=%s=.", make->build);
	// Headers of a compiler that was downloaded are where its user wanted.
	const char *directory = make->compiler->directory;
	_cleanup_free_ char *compiler =
		directory ? string_format(" -ffile-prefix-map=%s=/crosstool",
					  directory)
			  : string_copy("");
	bool source_last = strlen(make->source) > strlen(make->build);
	_cleanup_free_ char *flags = make->compiler->is_llvm
					     ? string_copy("")
					     : kernel_make_flags(make->arch);
	string_list_addf(&make->arguments, "%s=%s %s %s%s", variable, flags,
			 source_last ? build : source,
			 source_last ? source : build, compiler);
}

static void add_arguments(struct make *make, const char *pahole, unsigned int jobs)
{
	static const char *const fixed[] = {
		"KBUILD_BUILD_USER=vmtest",
		"KBUILD_BUILD_HOST=vmtest",
		"KBUILD_BUILD_VERSION=1",
		("KBUILD_BUILD_TIMESTAMP=" KBUILD_TIMESTAMP),
		// Given and empty, it keeps a '+' for a git tree with changes
		// away.
		"LOCALVERSION=",
		// objtool's library: a warning of GCC 12 and later, in sources
		// older than that, is no error.
		"WERROR=0",
		// A package built on a new system builds modules on an older
		// one. In 5.10 objtool does not ask for what a static libelf
		// needs; where it stands before the objects, as it does for
		// others, it is not used. Expanded at once: make would ask
		// again for each command that it runs.
		"HOSTLDFLAGS:=-static $(shell pkg-config --static --libs libelf)",
		"HOSTPKG_CONFIG=pkg-config --static",
	};
	struct string_list *list = &make->arguments;

	string_list_add(list, "make");
	string_list_addf(list, "-j%u", jobs ? jobs : processors_usable());
	string_list_add(list, "-C");
	string_list_add(list, make->source);
	string_list_addf(list, "O=%s", make->build);
	kernel_make_add_compiler(list, make->arch, make->compiler, true);
	for (size_t i = 0; i < array_size(fixed); i++)
		string_list_add(list, fixed[i]);
	add_flags(make, "KCFLAGS");
	add_flags(make, "KAFLAGS");
	string_list_addf(list, "PAHOLE=%s", pahole);
}

struct error *make_init(struct make *make, const char *source,
			const char *build, const struct catalog_arch *arch,
			const struct compiler *compiler, unsigned int jobs,
			const char *log_path)
{
	struct error *err;

	err = kernel_make_check_path(source);
	if (err)
		return err;
	err = kernel_make_check_path(build);
	if (err)
		return err;
	_cleanup_free_ char *pahole = path_join(build, MAKE_PAHOLE);
	err = file_write(pahole, pahole_wrapper, sizeof(pahole_wrapper) - 1);
	if (err)
		return err;
	if (chmod(pahole, 0755) < 0)
		return error_create_os(errno, "chmod %s", pahole);
	if (log_path && truncate(log_path, 0) < 0 && errno != ENOENT)
		return error_create_os(errno, "truncate %s", log_path);
	*make = (struct make){
		.arch = arch,
		.compiler = compiler,
		.source = source,
		.build = build,
		.log_path = log_path,
	};
	add_arguments(make, pahole, jobs);
	return NULL;
}

void make_deinit(struct make *make)
{
	string_list_deinit(&make->arguments);
}

struct error *make_run(const struct make *make, struct progress *progress,
		       const char *const *arguments)
{
	_cleanup_string_list_ struct string_list list = { 0 };
	string_list_add_all(&list, &make->arguments);
	for (size_t i = 0; arguments[i]; i++)
		string_list_add(&list, arguments[i]);
	return kernel_make_run(&list, make->log_path, progress, false, NULL);
}
