// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_CONFIG_CONFIGURE_H
#define KBUILD_CONFIG_CONFIGURE_H

/** @file Configuring a kernel's source, to build it or to see what comes out. */

#include "common/base/cleanup.h"

struct catalog;
struct catalog_arch;
struct compiler;
struct error;
struct make;
struct release;
struct string_list;

/**
 * Make the .config of a build folder from the catalog's fragments.
 *
 * An option that kconfig drops is an error in a series that the catalog calls
 * verified, and a warning beyond: a new series must not stop every build.
 *
 * @param[out] lost_ret Gets the options of such warnings, `CONFIG_NAME=value`.
 * @return As config_compose() and config_apply().
 */
_must_check_ struct error *configure_build(const struct catalog *catalog,
					   const struct catalog_arch *arch,
					   const struct release *release,
					   struct make *make, const char *build,
					   struct string_list *lost_ret);

/**
 * Configure a source in a temporary folder. Blocks for some seconds.
 *
 * @param[in] compiler Asked by kconfig what it can do.
 * @param[in] source The kernel's tree, absolute; it is not written to.
 * @param[in] parent Where the folder is made, absolute.
 * @param[out] ret The .config; free().
 * @return As configure_build(); ERROR_CANCELLED.
 */
_must_check_ struct error *
configure_source(const struct catalog *catalog, const struct catalog_arch *arch,
		 const struct release *release, const struct compiler *compiler,
		 const char *source, const char *parent, char **ret);

#endif /* KBUILD_CONFIG_CONFIGURE_H */
