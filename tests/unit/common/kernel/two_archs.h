// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef TESTS_UNIT_COMMON_KERNEL_TWO_ARCHS_H
#define TESTS_UNIT_COMMON_KERNEL_TWO_ARCHS_H

/** @file A catalog of two architectures, whichever the project's own has. */

struct catalog;

/**
 * The project's catalog with x86_64 under two other names, and nothing else.
 *
 * @param[in] host_name What `uname -m` says on machines of the first.
 * @return catalog_destroy()
 */
struct catalog *two_archs_catalog(const char *first, const char *second,
				  const char *host_name);

#endif /* TESTS_UNIT_COMMON_KERNEL_TWO_ARCHS_H */
