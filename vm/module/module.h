// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_MODULE_MODULE_H
#define VM_MODULE_MODULE_H

/**
 * @file
 *
 * External modules, built for a kernel with what is in its package.
 *
 * A result is kept in `DIRECTORY/ARCH/module/RELEASE/SOURCE/KEY/`, an entry of
 * the cache with all modules that the source makes and make's log. SOURCE
 * is a digest of the source's path, and KEY one of the contents of its files,
 * of the kernel, and of the compiler. After a build, results of earlier
 * contents are deleted, unless they are in use.
 */

#include "common/archive/archive.h"
#include "common/base/cleanup.h"

struct cache_entry;
struct catalog;
struct catalog_arch;
struct error;
struct http;
struct kernel;
struct sandbox;

/*
 * A source: the files of a directory, without those that a build in place
 * leaves behind. A result: a directory with all modules that were built, and a
 * link to the first.
 */

/**
 * Copy all files to a directory, which is made.
 *
 * @param[out] text_ret A digest over the names and contents of the copies.
 * @return ERROR_USAGE if it is not a directory with a Makefile or Kbuild.
 */
_must_check_ struct error *
module_source_copy(const char *path, const char *to,
		   char text_ret[static DIGEST_TEXT_SIZE]);

/**
 * Check that the programs in a package's build directory run here, natively or
 * by an emulator of binfmt_misc: they are for the machine that built the
 * kernel, whatever the kernel's own architecture is. A package without any
 * passes; make then reports what is missing.
 *
 * @param[in] kernel_path The package's directory.
 * @param[in] sandbox Where one is run.
 * @return An error that says for what machine they are.
 */
_must_check_ struct error *host_programs_check(const char *kernel_path,
					       const struct sandbox *sandbox);

/**
 * The compiler's flags: those of kernels, and for the names of files in the
 * debug info. The module's are those of its source, and the kernel's headers
 * are called as in vmlinux.
 *
 * @param[in] kernel The package's build directory, where make runs.
 * @param[in] copy What is built.
 * @param[in] source What it is a copy of.
 * @param[in] compiler Directory of a downloaded compiler; NULL for none.
 */
char *module_flags(const struct catalog_arch *arch, const char *kernel,
		   const char *copy, const char *source, const char *compiler);

/** The path of the first module; NULL if it is not there. */
char *module_result_find(const char *result);

/**
 * Copy the modules from the directory that they were built in, where the build
 * may have left links and more that leads elsewhere: that is an error.
 */
_must_check_ struct error *module_result_collect(const char *source,
						 const char *result);

struct module_request {
	/** Says which compiler is for the kernel. */
	const struct catalog *catalog;
	const struct kernel *kernel;
	const struct catalog_arch *arch;
	/** For a compiler that is to be downloaded. */
	struct http *http;
	/** A directory with a Makefile or Kbuild for an external module. */
	const char *source;
	/** Where results and downloaded compilers are kept. */
	const char *directory;
	/** As module_scratch_parent() takes it. */
	const char *temporary;
};

/**
 * Where modules are built, each in a directory for the user alone. make cannot
 * take every name.
 *
 * @param[in] temporary TMPDIR; may be NULL.
 * @return It, or `/tmp`; free().
 */
char *module_scratch_parent(const char *temporary);

/** A result, which is not deleted while this is open. */
struct module {
	/**
	 * The module; of several, the first that obj-m names. All lie in one
	 * directory. Absolute, without symbolic links.
	 */
	char *path;
	/** What keeps it there. */
	struct cache_entry *entry;
};

void module_deinit(struct module *module);

#define _cleanup_module_ _cleanup_(module_deinit)

/**
 * Build a module, or find what the same compiler has built before. A compiler
 * is downloaded only for building (common/kernel/compiler.h). It is built in a
 * sandbox (common/process/sandbox.h). The source is only read; files that a
 * build in place has left there are ignored. Blocks; others who build the same
 * at the same time wait for the first.
 *
 * @return ERROR_USAGE if there is no source; an error of make is preceded in
 * the log by the lines that say why.
 */
_must_check_ struct error *module_build(const struct module_request *request,
					struct module *ret);

/**
 * Delete all modules that were built for a deleted kernel, unless they are in
 * use. No error if there are none.
 *
 * @param[in] directory Where results are kept.
 * @param[in] kernel_path Where the kernel was; its name has the release.
 */
_must_check_ struct error *module_remove_all(const char *directory,
					     const char *arch,
					     const char *kernel_path);

#endif /* VM_MODULE_MODULE_H */
