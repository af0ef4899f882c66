// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_PACKAGE_PACKAGE_H
#define KBUILD_PACKAGE_PACKAGE_H

/**
 * @file
 *
 * A built kernel as a package: laid out as `/lib/modules/RELEASE` is, proven to
 * be enough for building modules, and packed.
 */

#include "common/base/cleanup.h"

struct error;
struct make;
struct release;
struct source;
struct string_list;

/** What a package is made from. */
struct package_input {
	const struct release *release;
	const struct source *source;
	/** What kconfig did not keep: `CONFIG_NAME=value`. */
	const struct string_list *lost_options;
};

/**
 * Lay out a package as a directory. It depends on nothing outside of it.
 *
 * @param[in] make What built the kernel.
 * @param[in] directory Must not exist; its parent must, on a file system that
 * can hold everything twice for a moment.
 */
_must_check_ struct error *package_stage(const struct package_input *input,
					 const struct make *make,
					 const char *directory);

/**
 * Prove that modules can be built with a staged package, by building one.
 *
 * @param[in] scratch A directory for the module, outside of the package; made.
 */
_must_check_ struct error *package_prove(const struct make *make,
					 const char *directory,
					 const char *scratch);

/** Pack a staged package. Equal contents give equal bytes. */
_must_check_ struct error *package_pack(const char *directory, const char *path);

#endif /* KBUILD_PACKAGE_PACKAGE_H */
