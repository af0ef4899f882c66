// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_BOOT_H
#define BOT_BOOT_H

/** @file The test that a package must pass before it is published. */

#include "common/cleanup.h"

struct catalog_arch;
struct error;
struct plan_item;

/**
 * Unpack a package as a consumer would, boot it, and ask it for its release.
 *
 * @param[in] directory Where to unpack; nothing is left there.
 * @param[in] log_path What the guest's console says is added to; may be NULL.
 */
_must_check_ struct error *boot_test(const struct plan_item *item,
				     const char *package_path,
				     const char *directory, const char *log_path);

#endif /* BOT_BOOT_H */
