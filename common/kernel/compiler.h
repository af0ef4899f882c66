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
struct catalog_compiler;
struct error;
struct http;
struct kernel_version;
struct progress;
struct string_list;

/*
 * Which compiler builds a kernel and its modules.
 *
 * The catalog says which versions of GCC build which series. The first of these
 * that is of such a version is taken: this machine's own for its own
 * architecture (`gcc`), or the distribution's cross compiler
 * (`aarch64-linux-gnu-gcc`); the same with a version in its name (`gcc-9`,
 * `aarch64-linux-gnu-gcc-9`), the newest first; and kernel.org's, which is
 * downloaded to CACHE/toolchains and kept.
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
	/** What it says of itself: `12.2.0`; NULL if it is not there. */
	char *version;
	/** Where a downloaded one is or goes; NULL for one that is installed. */
	char *directory;
	/** Where it is downloaded from; NULL for one that is installed. */
	char *url;
};

/** Why a compiler is not the one. */
enum toolchain_verdict {
	TOOLCHAIN_CHOSEN,
	/** It would do as well, but an earlier one was taken. */
	TOOLCHAIN_UNNEEDED,
	TOOLCHAIN_MISSING,
	TOOLCHAIN_TOO_OLD,
	TOOLCHAIN_TOO_NEW,
};

struct toolchain_candidate {
	struct compiler compiler;
	enum toolchain_verdict verdict;
};

/** All that was looked at for one architecture, in the order of preference. */
struct toolchain {
	const struct catalog_arch *arch;
	/** What the catalog asks for. */
	const struct catalog_compiler *rule;
	struct toolchain_candidate *candidates;
	size_t count;
	/** One of the candidates; NULL if none will do. */
	const struct compiler *chosen;
	/** What keeps it there, if it was downloaded. */
	struct cache_entry *entry;
};

void toolchain_deinit(struct toolchain *toolchain);

#define _cleanup_toolchain_ _cleanup_(toolchain_deinit)

/**
 * Look at what there is. Runs compilers, but asks no network.
 *
 * @param[in] cache_directory Downloaded compilers are in `toolchains` there.
 */
_must_check_ struct error *toolchain_find(const struct catalog *catalog,
					  const struct catalog_arch *arch,
					  const struct catalog_compiler *rule,
					  const char *cache_directory,
					  struct toolchain *ret);

/** Find one for a version, without getting it. */
_must_check_ struct error *toolchain_choose(const struct catalog *catalog,
					    const struct catalog_arch *arch,
					    const struct kernel_version *version,
					    const char *cache_directory,
					    struct toolchain *ret);

/**
 * Have a compiler for a version: find it, and download it if need be. Blocks;
 * says so if it downloads.
 *
 * @return An error that says which package to install.
 */
_must_check_ struct error *
toolchain_open(const struct catalog *catalog, const struct catalog_arch *arch,
	       const struct kernel_version *version, const char *cache_directory,
	       struct http *http, struct toolchain *ret);

/** Debian's package with the compiler: `gcc-aarch64-linux-gnu`; free(). */
char *toolchain_package(const struct toolchain *toolchain);

/*
 * make, run for a kernel's tree or for an external module: without what the
 * environment holds for other builds, with the architecture's compiler (through
 * ccache where it is installed), and with all output in a log file.
 */

/** Where the output goes; the descriptor is the caller's. */
struct kernel_make_log {
	/** For messages; NULL if the output is not kept. */
	const char *path;
	int fd;
};

/** Add make's variables for an architecture and its compiler. */
void kernel_make_add_compiler(struct string_list *arguments,
			      const struct catalog_arch *arch,
			      const struct compiler *compiler);

/** @return ERROR_USAGE if make cannot cope with the path in its variables. */
_must_check_ struct error *kernel_make_check_path(const char *path);

/**
 * Run make until all that it started has ended. Blocks; is killed by an
 * interrupt.
 *
 * @param[in] arguments The program first.
 * @param[in] progress Is told of each file that is compiled; may be NULL.
 * @param[out] missing_ret The first line of the output that says 'No such
 * file', NULL if none does; free(). May be NULL.
 * @return An error that has the last lines of the output logged before it.
 */
_must_check_ struct error *kernel_make_run(const struct string_list *arguments,
					   const struct kernel_make_log *log,
					   struct progress *progress,
					   char **missing_ret);

struct kernel_make_module {
	const struct catalog_arch *arch;
	const struct compiler *compiler;
	/** The package's build directory. */
	const char *kernel;
	/** The module's directory, absolute. */
	const char *module;
	/** More for make, such as variables; ended by NULL. May be NULL. */
	const char *const *arguments;
	/** Is told of each file that is compiled; may be NULL. */
	struct progress *progress;
};

/**
 * Build an external module as a user of a package does: in a package's build
 * directory, with nothing but the architecture and the compiler given.
 *
 * @return An error also where make succeeds but some tool says 'No such file':
 * then the package, or the module's source, lacks something that make does not
 * insist on.
 */
_must_check_ struct error *
kernel_make_module(const struct kernel_make_module *options,
		   const struct kernel_make_log *log);

#endif /* COMMON_KERNEL_COMPILER_H */
