// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/module.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/process/process.h"
#include "common/process/sandbox.h"

enum {
	LIST_LIMIT_BYTES = 1 << 20,
	/** For a program that says how it is used, if it does. */
	RUN_LIMIT_MS = 30000,
	HEADER_BYTES = offsetof(Elf64_Ehdr, e_version),
};

/** In a result: a link to the module that counts. */
static const char link_name[] = "module";

/**
 * An object that was built for another kernel would be taken for up to date.
 */
static const char *const skipped[] = {
	"*.o",	"*.ko",		 "*.mod",	   "*.mod.c",	    "*.cmd",
	".git", ".tmp_versions", "Module.symvers", "modules.order", NULL,
};

struct error *module_source_copy(const char *path, const char *to,
				 char text_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;

	if (!directory_exists(path))
		return error_create(ERROR_USAGE,
				    "module source %s: no such directory", path);
	_cleanup_string_list_ struct string_list files = { 0 };
	err = tree_list(path, skipped, &files);
	if (err)
		return error_wrap(err, "module source");
	if (!string_list_contains(&files, "Makefile") &&
	    !string_list_contains(&files, "Kbuild"))
		return error_create(ERROR_USAGE,
				    "module source %s has no Makefile or Kbuild",
				    path);
	err = tree_copy(path, skipped, to);
	if (err)
		return err;
	_cleanup_digest_ struct digest *digest = digest_create();
	for (size_t i = 0; i < files.count; i++) {
		_cleanup_free_ char *file = path_join(to, files.items[i]);
		char text[DIGEST_TEXT_SIZE];

		err = digest_file(file, text, NULL);
		if (err)
			return err;
		digest_update(digest, files.items[i], strlen(files.items[i]) + 1);
		digest_update(digest, text, sizeof(text));
	}
	digest_finish(digest, text_ret);
	return NULL;
}

/** The smallest of them, which every build of a module runs. */
static const char program[] = "build/scripts/basic/fixdep";

/** What it says when it is called without arguments. */
static const char usage[] = "Usage: fixdep";

/** Kinds of ELF files, by what `uname -m` says where such programs run. */
static const struct {
	const char *name;
	uint16_t machine;
	unsigned char class;
	unsigned char data;
} kinds[] = {
	{ "x86_64", EM_X86_64, ELFCLASS64, ELFDATA2LSB },
	{ "i686", EM_386, ELFCLASS32, ELFDATA2LSB },
	{ "aarch64", EM_AARCH64, ELFCLASS64, ELFDATA2LSB },
	{ "armv7l", EM_ARM, ELFCLASS32, ELFDATA2LSB },
	{ "ppc64le", EM_PPC64, ELFCLASS64, ELFDATA2LSB },
	{ "riscv64", EM_RISCV, ELFCLASS64, ELFDATA2LSB },
	{ "s390x", EM_S390, ELFCLASS64, ELFDATA2MSB },
};

/** The kind of a program; NULL if it is no ELF file. */
static const char *find_kind(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	// The header begins alike in all of them.
	Elf64_Ehdr header;

	if (fd < 0 || read(fd, &header, HEADER_BYTES) != HEADER_BYTES ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return NULL;

	unsigned char data = header.e_ident[EI_DATA];
	uint16_t machine = data == ELFDATA2MSB ? be16toh(header.e_machine)
					       : le16toh(header.e_machine);

	for (size_t i = 0; i < array_size(kinds); i++) {
		if (kinds[i].machine == machine && kinds[i].data == data &&
		    kinds[i].class == header.e_ident[EI_CLASS])
			return kinds[i].name;
	}
	return "unknown";
}

/** Whether it runs: an emulator that cannot load it fails in its own words. */
static bool runs(const char *path, const struct sandbox *sandbox)
{
	struct process_options options = {
		.arguments = (const char *const[]){ path, NULL },
		.reads_stdout = true,
		.reads_stderr = true,
	};
	char output[sizeof(usage)] = "";
	size_t size;
	_cleanup_process_ struct process *process = NULL;

	sandbox_apply(sandbox, &options);
	_cleanup_error_ struct error *err = process_spawn(&options, &process);
	if (!err)
		err = process_read(process, monotonic_ms() + RUN_LIMIT_MS,
				   output, sizeof(output) - 1, &size);
	return !err && strcmp(output, usage) == 0;
}

struct error *host_programs_check(const char *kernel_path,
				  const struct sandbox *sandbox)
{
	struct error *err;

	_cleanup_free_ char *path = path_join(kernel_path, program);
	const char *theirs = find_kind(path);
	const char *ours = find_kind("/proc/self/exe");

	if (!theirs || !ours || strcmp(theirs, ours) == 0 || runs(path, sandbox))
		return NULL;
	err = interrupt_check();
	if (err)
		return err;
	return error_create(ERROR_OTHER,
			    "the programs in its build directory are for %s, where the kernel was built, and do not run on this machine (%s); use a package that was built on one, or install qemu-user-static",
			    theirs, ours);
}

char *module_flags(const struct catalog_arch *arch, const char *kernel,
		   const char *copy, const char *source, const char *compiler)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_free_ char *common = kernel_make_flags(arch);

	// The last that fits counts. Make runs in the build directory and has
	// names of it that begin with a dot, or, from Linux 6.13 on, whole ones.
	string_builder_appendf(&sb,
			       "%s -ffile-prefix-map=%s=. -ffile-prefix-map=%s/=",
			       common, kernel, kernel);
	string_builder_append(&sb, " -ffile-prefix-map=./=");
	// What make has generated was not in the source.
	for (int i = 0; i < 2; i++) {
		_cleanup_free_ char *path =
			i ? string_format("arch/%s/include/generated",
					  arch->source_arch)
			  : string_copy("include/generated");

		string_builder_appendf(
			&sb,
			" -ffile-prefix-map=./%s=./%s -ffile-prefix-map=%s/%s=./%s",
			path, path, kernel, path, path);
	}
	string_builder_appendf(&sb, " -ffile-prefix-map=%s=%s", copy, source);
	if (compiler)
		string_builder_appendf(&sb, " -ffile-prefix-map=%s=/crosstool",
				       compiler);
	return string_builder_take(&sb);
}

char *module_result_find(const char *result)
{
	_cleanup_free_ char *link = path_join(result, link_name);

	return realpath(link, NULL);
}

/** That what make has made is a file below its directory, which nobody changes. */
static struct error *check_file(const char *source, const char *path)
{
	_cleanup_free_ char *top = realpath(source, NULL);
	_cleanup_free_ char *real = realpath(path, NULL);
	struct stat st;

	if (!real && errno == ENOENT)
		return NULL;
	if (real && top && path_is_below(real, top) && lstat(path, &st) == 0 &&
	    S_ISREG(st.st_mode))
		return NULL;
	return error_create(ERROR_OTHER,
			    "make has left something that is no file of its own: %s",
			    path);
}

/** Copy the module of this name, wherever it is, to a result. */
static struct error *copy_module(const char *source,
				 const struct string_list *files,
				 const char *name, const char *result)
{
	for (size_t i = 0; i < files->count; i++) {
		struct error *err;
		_cleanup_free_ char *from = path_join(source, files->items[i]);
		_cleanup_free_ char *to = path_join(result, name);

		if (strcmp(path_name(from), name) != 0)
			continue;
		err = check_file(source, from);
		return err ? err : file_copy(from, to);
	}
	return error_create(ERROR_OTHER, "make did not make %s", name);
}

struct error *module_result_collect(const char *source, const char *result)
{
	struct error *err;

	_cleanup_free_ char *order = path_join(source, "modules.order");
	_cleanup_free_ char *text = NULL;
	err = check_file(source, order);
	if (!err)
		err = file_read(order, LIST_LIMIT_BYTES, &text, NULL);
	if (err && !error_catch(&err, ERROR_NOT_FOUND))
		return err;
	_cleanup_string_list_ struct string_list files = { 0 };
	err = tree_list_all(source, &files);
	if (err)
		return err;
	_cleanup_free_ char *link = path_join(result, link_name);
	// A build that failed may have left one.
	unlink(link);
	char *rest = text;
	bool any = false;
	// Make's own list: `fs/foo.o`, or with a path and as .ko in older kernels.
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *dot = strrchr(line, '.');

		if (!dot)
			continue;
		*dot = '\0';
		_cleanup_free_ char *name =
			string_format("%s.ko", path_name(line));
		err = copy_module(source, &files, name, result);
		if (err)
			return err;
		if (!any && symlink(name, link) < 0)
			return error_create_os(errno, "link %s", link);
		any = true;
	}
	if (!any)
		return error_create(ERROR_OTHER,
				    "make made no module; does the Makefile set obj-m?");
	return NULL;
}
