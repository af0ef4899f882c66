// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_MAKE_H
#define KBUILD_MAKE_H

/**
 * @file
 *
 * make, run on a kernel tree so that what it makes depends on the source, the
 * configuration and the toolchain alone: not on who builds, when, where, or in
 * which environment. Compilers go through ccache where it is installed. All
 * output goes to a log file, if one is kept.
 */

#include "common/base/cleanup.h"

struct catalog_arch;
struct compiler;
struct error;
struct progress;

/** Time of every build and of every file in a package: 2000-01-01 UTC. */
#define KBUILD_TIMESTAMP "Sat Jan  1 00:00:00 UTC 2000"
enum {
	KBUILD_TIME = 946684800
};

struct make;

/**
 * Prepare to run make.
 *
 * @param[in] source The kernel's tree, absolute. It is not written to, and so
 * can be shared by builds that run at once.
 * @param[in] build Where make puts what it makes (O=), absolute; must exist.
 * @param[in] compiler Borrowed as long as the object lives.
 * @param[in] jobs How many at once; 0 for one a processor.
 * @param[in] log_path A new log; an old one is overwritten. NULL to keep none.
 * @return ERROR_USAGE if a path has characters that make cannot cope with.
 */
_must_check_ struct error *make_create(const char *source, const char *build,
				       const struct catalog_arch *arch,
				       const struct compiler *compiler,
				       unsigned int jobs, const char *log_path,
				       struct make **ret);
void make_destroy(struct make *make);

static inline void cleanup_make(struct make **make)
{
	make_destroy(*make);
}

#define _cleanup_make_ _cleanup_(cleanup_make)

/**
 * Run make in the source tree.
 *
 * @param[in] progress Is told of each file that is compiled; may be NULL.
 * @param[in] arguments Targets and variables, ended by NULL.
 * @return An error that has the last lines of the output logged before it.
 */
_must_check_ struct error *make_run(struct make *make, struct progress *progress,
				    const char *const *arguments);

/**
 * Build an external module as a user of a package does: in a package's build
 * folder, with nothing but the architecture and the compiler given.
 *
 * @param[in] kernel The package's build folder.
 * @param[in] module The module's folder, absolute.
 * @return An error also where make succeeds but some tool says 'No such file':
 * then the package lacks something that make does not insist on.
 */
_must_check_ struct error *make_module(struct make *make, const char *kernel,
				       const char *module);

/** What it was created with. */
const struct compiler *make_compiler(const struct make *make);

#endif /* KBUILD_MAKE_H */
