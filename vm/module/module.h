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
 * stands for the path of the source, and KEY for the contents of its files and
 * of the kernel, and for the compiler. What other contents of the source have
 * made goes when nobody uses it.
 */

#include "common/archive/archive.h"
#include "common/base/cleanup.h"

struct cache_entry;
struct catalog;
struct catalog_arch;
struct error;
struct http;
struct kernel;

/*
 * What goes into the build of an external module, and what comes out of it.
 *
 * A source is the files of a directory, but for what a build there leaves
 * behind. A result is a directory with all modules that were made, and a link
 * to the first.
 */

/**
 * Copy all files to a directory, which is made.
 *
 * @param[out] text_ret A digest over the names and contents of the copies.
 * @return ERROR_USAGE if it is no directory with a Makefile or Kbuild.
 */
_must_check_ struct error *
module_source_copy(const char *path, const char *to,
		   char text_ret[static DIGEST_TEXT_SIZE]);

/**
 * Find out whether the programs in a package's build directory run here, as
 * they are, or because binfmt_misc has an emulator run them: they are of the
 * machine that built the kernel, whatever the kernel's own architecture is. A
 * package without any is left to make.
 *
 * @param[in] kernel_path The package's directory.
 * @return An error that says for what machine they are.
 */
_must_check_ struct error *host_programs_check(const char *kernel_path);

/** The path of the first module; NULL if it is not there. */
char *module_result_find(const char *result);

/** Copy the modules from where make has made them. */
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
};

/** A result, which stays as long as this is open. */
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
 * Build a module, or find what the same compiler built before: only building
 * downloads one, if need be (see common/kernel/compiler.h). The source is only
 * read, and what a build in place has left there does not matter. Blocks;
 * whoever builds the same at the same time waits.
 *
 * @return ERROR_USAGE if there is no source; else what make failed at, with
 * the lines that tell why logged before it.
 */
_must_check_ struct error *module_build(const struct module_request *request,
					struct module *ret);

/**
 * Delete all that was built for a kernel that is gone, and is not in use. No
 * error if nothing was.
 *
 * @param[in] directory Where results are kept.
 * @param[in] kernel_path Where the kernel was; its name has the release.
 */
_must_check_ struct error *module_remove_all(const char *directory,
					     const char *arch,
					     const char *kernel_path);

#endif /* VM_MODULE_MODULE_H */
