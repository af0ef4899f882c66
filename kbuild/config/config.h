// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_CONFIG_CONFIG_H
#define KBUILD_CONFIG_CONFIG_H

/**
 * @file
 *
 * The configuration of a kernel: which fragments make it, and applying them.
 */

#include <stddef.h>

#include "common/base/cleanup.h"

struct catalog;
struct catalog_arch;
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
 * Make the .config of a build folder from nothing but the set.
 *
 * @param[out] lost_ret As in option_set_check().
 * @return An error naming each option that kconfig did not keep and had to.
 */
_must_check_ struct error *config_apply(const struct option_set *set,
					struct make *make, const char *build,
					struct string_list *lost_ret);

/**
 * Read the .config of a build folder.
 *
 * @param[out] ret Free with free().
 * @param[out] size_ret May be NULL.
 */
_must_check_ struct error *config_read(const char *build, char **ret,
				       size_t *size_ret);

#endif /* KBUILD_CONFIG_CONFIG_H */
