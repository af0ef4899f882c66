// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_PACKAGE_PACKAGE_H
#define KBUILD_PACKAGE_PACKAGE_H

/**
 * @file
 *
 * A built kernel as a package: laid out as `/lib/modules/RELEASE` is, proven to
 * be enough for building modules, and packed.
 */

#include <stdint.h>

#include "common/base/cleanup.h"

struct catalog_arch;
struct error;
struct make;
struct release;
struct string_list;

/** What a package is made from. */
struct package_input {
	const struct release *release;
	const struct catalog_arch *arch;
	/** Absolute paths of the kernel's tree, and of where it was built. */
	const char *source;
	const char *build;
	/** For vmtest.json: where the source is from; NULL if not known. */
	const char *source_url;
	/** SHA-256 of the tarball, or the commit; NULL if not known. */
	const char *source_digest;
	/** Names of the patches that were applied. */
	const struct string_list *patches;
	/** What kconfig did not keep: `CONFIG_NAME=value`. */
	const struct string_list *lost_options;
};

/**
 * Lay out a package as a folder. It depends on nothing outside of it.
 *
 * @param[in] directory Must not exist; its parent must, on a file system that
 * can hold everything twice for a moment.
 */
_must_check_ struct error *package_stage(const struct package_input *input,
					 struct make *make,
					 const char *directory);

/**
 * Prove that modules can be built with a staged package, by building one.
 *
 * @param[in] scratch A folder for the module, outside of the package; made.
 */
_must_check_ struct error *package_prove(struct make *make, const char *directory,
					 const char *scratch);

/**
 * Pack a staged package. Equal contents give equal bytes.
 *
 * @param[out] size_ret Size in bytes; may be NULL.
 */
_must_check_ struct error *package_pack(const char *directory, const char *path,
					uint64_t *size_ret);

#endif /* KBUILD_PACKAGE_PACKAGE_H */
