// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_CONFIG_CONFIG_H
#define KBUILD_CONFIG_CONFIG_H

/**
 * @file
 *
 * The configuration of a kernel: which fragments make it, and what kconfig
 * makes of them.
 */

#include "common/base/cleanup.h"

struct catalog;
struct catalog_arch;
struct compiler;
struct error;
struct make;
struct option_set;
struct release;
struct string_list;

/**
 * Compose the fragments beside the catalog: `base.config`, `FLAVOR.config`,
 * `ARCH.config` and, if there is one, `ARCH-FLAVOR.config`; later ones win.
 *
 * @param[in] release Its flavor and version choose; its local part becomes the
 * kernel's CONFIG_LOCALVERSION.
 * @param[in,out] set Must be empty.
 */
_must_check_ struct error *config_compose(const struct catalog *catalog,
					  const struct catalog_arch *arch,
					  const struct release *release,
					  struct option_set *set);

/**
 * Make the .config of a build directory from nothing but the fragments.
 *
 * An option that kconfig drops is an error in a series that the catalog calls
 * verified, and a warning beyond: a new series must not stop every build.
 *
 * @param[out] lost_ret Gets the options of such warnings, `CONFIG_NAME=value`.
 * @return An error naming each option that kconfig did not keep and had to.
 */
_must_check_ struct error *configure_build(const struct catalog *catalog,
					   const struct release *release,
					   struct make *make,
					   struct string_list *lost_ret);

/**
 * Configure a source in a temporary directory. Blocks for some seconds.
 *
 * @param[in] compiler Asked by kconfig what it can do.
 * @param[in] source The kernel's tree, absolute; it is not written to.
 * @param[in] parent Where the directory is made, absolute.
 * @param[out] ret The .config; free().
 * @return As configure_build(); ERROR_CANCELLED.
 */
_must_check_ struct error *
configure_source(const struct catalog *catalog, const struct catalog_arch *arch,
		 const struct release *release, const struct compiler *compiler,
		 const char *source, const char *parent, char **ret);

#endif /* KBUILD_CONFIG_CONFIG_H */
