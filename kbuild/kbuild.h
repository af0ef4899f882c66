// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_KBUILD_H
#define KBUILD_KBUILD_H

/** @file From a kernel's source to its package. */

#include "common/base/cleanup.h"
#include "kbuild/config/config.h"

struct compiler;
struct error;
struct phase_clock;
struct source;

enum kbuild_format {
	/** `kernel-RELEASE.ARCH.tar.zst` */
	KBUILD_FORMAT_TARBALL,
	/** The same unpacked, a directory `kernel-RELEASE.ARCH`. */
	KBUILD_FORMAT_DIRECTORY,
	/** No package: the build directory itself. */
	KBUILD_FORMAT_TREE,
};

/** What to build from what. All is borrowed. */
struct kbuild_request {
	const struct config_request *config;
	/** From compiler_open() for the version. */
	const struct compiler *compiler;
	/**
	 * Its version is the release's. Builds of several flavors may share it,
	 * at once.
	 */
	const struct source *source;
	/** A .config to use instead of the fragments, of a tree; or NULL. */
	const char *config_path;
	/** Where the package goes; not used for a tree. */
	const char *output_directory;
	/**
	 * Build directory; of a tree it must be given; kept, so that a later
	 * build of the same kernel is fast. NULL for one in the output
	 * directory, which is deleted after a success.
	 */
	const char *build_directory;
	/** What make prints; NULL for a file in the build directory. */
	const char *log_path;
	/** Is told of the phases; may be NULL. */
	struct phase_clock *clock;
	enum kbuild_format format;
	/** 0 for one a processor. */
	unsigned int jobs;
};

/**
 * Configure, build, package and prove a kernel. Blocks for minutes. A tree is
 * neither packaged nor proven: where nothing has changed, it takes seconds.
 *
 * Idempotent: what an earlier run that died left behind is deleted or built on,
 * and an older package of the same name is replaced.
 *
 * @param[out] path_ret Path of the package, or of the build directory; free
 * with free().
 * @return ERROR_CANCELLED on a signal.
 */
_must_check_ struct error *kbuild_build(const struct kbuild_request *request,
					char **path_ret);

#endif /* KBUILD_KBUILD_H */
