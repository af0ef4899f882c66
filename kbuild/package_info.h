// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_PACKAGE_INFO_H
#define KBUILD_PACKAGE_INFO_H

/**
 * @file
 *
 * `vmtest.json`: how a package was made. It says nothing that differs between
 * two builds of the same source with the same tools. `host` is the kind of
 * machine that built it, and that the programs in its build folder run on.
 */

#include "common/cleanup.h"

struct error;
struct package_input;

/**
 * The value that a .config gives to a string or number, without quotes.
 *
 * @param[out] ret Free with free(); NULL if it has none.
 */
_must_check_ struct error *config_value(const char *config, const char *name,
					char **ret);

/**
 * Write vmtest.json into a staged package, whose build/.config names the tools.
 */
_must_check_ struct error *package_info_write(const struct package_input *input,
					      const char *directory);

#endif /* KBUILD_PACKAGE_INFO_H */
