// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_PACKAGE_PACKAGE_INFO_H
#define KBUILD_PACKAGE_PACKAGE_INFO_H

/**
 * @file
 *
 * `vmtest.json`: how a package was made. It says nothing that differs between
 * two builds of the same source with the same tools. `host` is the kind of
 * machine that built it, and that the programs in its build directory run on.
 */

#include "common/base/json.h"

struct catalog_arch;
struct package_input;
struct string_list;

/**
 * Write vmtest.json into a staged package, whose build/.config names the tools.
 */
_must_check_ struct error *package_info_write(const struct package_input *input,
					      const struct catalog_arch *arch,
					      const char *directory);

/**
 * Reads a `struct string_list` of options and their values, each of which comes
 * from elsewhere and must be printable.
 */
_must_check_ value_reader value_lost_options;

/**
 * Read from a package's vmtest.json which options kconfig did not keep.
 * Packages that do not say so lost none.
 *
 * @param[in] path The package: a tarball.
 * @param[out] lost_ret Gets each, `CONFIG_NAME=value`.
 */
_must_check_ struct error *package_info_read_lost(const char *path,
						  struct string_list *lost_ret);

#endif /* KBUILD_PACKAGE_PACKAGE_INFO_H */
