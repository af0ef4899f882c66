// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_MAKE_H
#define KBUILD_MAKE_H

/**
 * @file
 *
 * make, run on a kernel tree so that its results depend on the source, the
 * configuration and the toolchain alone: not on the user, the time, the place
 * or the environment. Compilers go through ccache where it is installed. All
 * output goes to a log file, if one is kept.
 */

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/kernel/compiler.h"

struct catalog_arch;
struct compiler;
struct error;
struct progress;

/** Time of every build and of every file in a package: 2000-01-01 UTC. */
#define KBUILD_TIMESTAMP "Sat Jan  1 00:00:00 UTC 2000"
enum {
	KBUILD_TIME = 946684800
};

/**
 * The pahole of a build, a script in its directory. A package has it too: BTF
 * of its modules is read by the same kernel.
 */
#define MAKE_PAHOLE ".vmtest-pahole"

struct make {
	const struct catalog_arch *arch;
	const struct compiler *compiler;
	/** Absolute. */
	const char *source;
	const char *build;
	/** NULL if the output is not kept. */
	const char *log_path;
	/** Arguments of every run. */
	struct string_list arguments;
};

/**
 * Prepare to run make. What pointers lead to is borrowed.
 *
 * @param[in] source The kernel's tree, absolute. It is not written to, and so
 * can be shared by builds that run at once.
 * @param[in] build Where make puts what it makes (O=), absolute; must exist.
 * @param[in] jobs How many at once; 0 for one a processor.
 * @param[in] log_path A new log; an old one is overwritten. NULL to keep none.
 * @return ERROR_USAGE if a path has characters that make cannot cope with.
 */
_must_check_ struct error *make_init(struct make *make, const char *source,
				     const char *build,
				     const struct catalog_arch *arch,
				     const struct compiler *compiler,
				     unsigned int jobs, const char *log_path);
void make_deinit(struct make *make);

#define _cleanup_make_ _cleanup_(make_deinit)

/**
 * Run make in the source tree.
 *
 * @param[in] progress Is told of each file that is compiled; may be NULL.
 * @param[in] arguments Targets and variables, ended by NULL.
 * @return As kernel_make_run().
 */
_must_check_ struct error *make_run(const struct make *make,
				    struct progress *progress,
				    const char *const *arguments);

#endif /* KBUILD_MAKE_H */
