// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_COMPILER_H
#define COMMON_KERNEL_COMPILER_H

/** @file Compilers of kernels, and make. */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct cache_entry;
struct catalog;
struct catalog_arch;
struct error;
struct http;
struct kernel_version;
struct progress;
struct sandbox;
struct string_list;

/*
 * Which compiler builds a kernel and its modules.
 *
 * One version of GCC builds them all, the reference of the catalog; newer ones
 * build the series that the catalog says they were tried with. Taken is the
 * first of: the reference under its name with a number (`gcc-12`, or the
 * distribution's cross compiler, `aarch64-linux-gnu-gcc-12`); the one without,
 * if it is of a version that will do; and kernel.org's, which is downloaded to
 * CACHE/toolchains and kept.
 */

/** One GCC with its binutils, of this machine or from kernel.org. */
struct compiler {
	/**
	 * What the names of its binutils begin with, make's CROSS_COMPILE:
	 * `aarch64-linux-gnu-`, a path that ends like it, or "".
	 */
	char *prefix;
	/** The program: `aarch64-linux-gnu-gcc`, `gcc-12`, a path. */
	char *program;
	/** What it says of itself: `12.2.0`. */
	char *version;
	/** kernel.org's: where it is or will be, and its URL; else NULL. */
	char *directory;
	char *url;
	/** Why no installed one will do, and what to do; NULL if one will. */
	char *lacking;
	/** What keeps a downloaded one there. */
	struct cache_entry *entry;
	/** Clang, with the binutils of LLVM: make's LLVM=1. */
	bool is_llvm;
};

void compiler_deinit(struct compiler *compiler);

#define _cleanup_compiler_ _cleanup_(compiler_deinit)

/**
 * Find the one for a version, without getting it: runs compilers, but asks no
 * network.
 *
 * @param[in] cache_directory Downloaded compilers are in `toolchains` there.
 * @return ERROR_NOT_FOUND, saying which package to install.
 */
_must_check_ struct error *compiler_find(const struct catalog *catalog,
					 const struct catalog_arch *arch,
					 const struct kernel_version *version,
					 const char *cache_directory,
					 struct compiler *ret);

/**
 * The same, and download it if need be. Blocks; says so if it downloads. One of
 * which the catalog has no digest is refused, unless the catalog trusts the
 * list on the server.
 */
_must_check_ struct error *
compiler_open(const struct catalog *catalog, const struct catalog_arch *arch,
	      const struct kernel_version *version, const char *cache_directory,
	      struct http *http, struct compiler *ret);

/**
 * The clang of PATH, for any architecture.
 *
 * @return ERROR_NOT_FOUND, saying what to install.
 */
_must_check_ struct error *compiler_open_llvm(struct compiler *ret);

/**
 * Add the directories that a compiler needs: all of one from kernel.org; of
 * another, its own and those that installed files lie in beside `bin`.
 */
void compiler_add_directories(const struct compiler *compiler,
			      struct string_list *ret);

/*
 * make, run for a kernel's tree or for an external module: without variables of
 * the environment that are for other builds, with the architecture's compiler,
 * and with all output in a log file.
 */

/**
 * Variables that programs inherit which are part of a kernel's build, or of its
 * source: make, compilers, patch(1), and what packages are made with. Of all
 * others, some are secrets, and a kernel's source is anybody's.
 */
extern const char *const kernel_make_inherited[];

/**
 * Add make's variables for an architecture and its compiler.
 *
 * @param[in] caches Whether ccache is used, if it is installed.
 */
void kernel_make_add_compiler(struct string_list *arguments,
			      const struct catalog_arch *arch,
			      const struct compiler *compiler, bool caches);

/**
 * Flags of GCC for all kernels of an architecture, and for their modules.
 *
 * @return To be freed with free().
 */
char *kernel_make_flags(const struct catalog_arch *arch);

/** @return ERROR_USAGE if make cannot cope with the path in its variables. */
_must_check_ struct error *kernel_make_check_path(const char *path);

/**
 * The part of make's output that says why it failed: each line with an error,
 * the lines around it, and the last lines; `...` replaces the others, and the
 * rest of a line that is too long. With a parallel make, the last lines alone
 * rarely include the error.
 *
 * @return Plain text (text.h), its lines ended by newlines; free().
 */
char *kernel_make_excerpt(const char *output, size_t size);

/**
 * The first line of an excerpt that says what went wrong, which names the file,
 * the option or the symbol.
 *
 * @return NULL if none does; free().
 */
char *kernel_make_first_error(const char *text);

/**
 * Run make until all that it started has ended. Blocks; is killed by an
 * interrupt.
 *
 * @param[in] arguments The program first.
 * @param[in] log_path What the output is appended to; NULL to keep none.
 * @param[in] progress Is told of each file that is compiled; may be NULL.
 * @param[in] needs_all Whether it is an error, too, if make succeeds but its
 * output says 'No such file'.
 * @param[in] sandbox Where it runs; NULL for what is our own, which inherits
 * kernel_make_inherited.
 * @return An error that has kernel_make_excerpt() logged before it.
 */
_must_check_ struct error *kernel_make_run(const struct string_list *arguments,
					   const char *log_path,
					   struct progress *progress,
					   bool needs_all,
					   const struct sandbox *sandbox);

struct kernel_make_module {
	const struct catalog_arch *arch;
	const struct compiler *compiler;
	/** The package's build directory. */
	const char *kernel;
	/** The module's directory, absolute. */
	const char *module;
	/** More for make, such as variables; ended by NULL. May be NULL. */
	const char *const *arguments;
	const char *log_path;
	/** Is told of each file that is compiled; may be NULL. */
	struct progress *progress;
	/** For a package that is not ours, and then without ccache; or NULL. */
	const struct sandbox *sandbox;
};

/**
 * Build an external module as a user of a package does: in a package's build
 * directory, with nothing but the architecture and the compiler given. Without
 * pahole, the module has no BTF.
 *
 * @return An error also where make succeeds but some tool says 'No such file':
 * then the package, or the module's source, lacks something that make does not
 * insist on.
 */
_must_check_ struct error *
kernel_make_module(const struct kernel_make_module *options);

#endif /* COMMON_KERNEL_COMPILER_H */
