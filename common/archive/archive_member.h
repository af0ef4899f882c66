// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_ARCHIVE_ARCHIVE_MEMBER_H
#define COMMON_ARCHIVE_ARCHIVE_MEMBER_H

/** @file One file out of a tarball, without unpacking the rest. */

#include <stddef.h>

#include "common/base/cleanup.h"

struct error;

/**
 * Read a member of a zstd-compressed tarball. Reads no farther than its end, so
 * it is fast for what lies at the beginning.
 *
 * @param[in] member As the tarball names it: `./vmtest.json`.
 * @param[in] limit_bytes Most that it may hold.
 * @param[out] ret With a null byte behind it; free().
 * @return ERROR_NOT_FOUND if the tarball has no such member.
 */
_must_check_ struct error *archive_member_read(const char *path,
					       const char *member,
					       size_t limit_bytes, char **ret);

#endif /* COMMON_ARCHIVE_ARCHIVE_MEMBER_H */
